import { safeParse } from 'valibot';
import { expect, it } from 'vitest';
import { scrapePipelineSettings } from './settings.ts';

it.each(['UTC', 'Asia/Kolkata', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'])(
  'takes the time zone %s',
  (name) => {
    expect(safeParse(scrapePipelineSettings, { cadence_timezone: name }).success).toBe(true);
  },
);

it.each(['+05:30', 'IST-5:30', 'Asia/Bangaluru', '', 'local'])('refuses the time zone %j', (name) => {
  expect(JSON.stringify(safeParse(scrapePipelineSettings, { cadence_timezone: name }).issues)).toContain(
    'Asia/Kolkata',
  );
});
