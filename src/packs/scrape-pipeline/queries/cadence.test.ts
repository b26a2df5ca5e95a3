import { describe, expect, it } from 'vitest';
import { overdueSeconds, parseCadence } from './cadence.ts';

const at = (text: string): number => Date.parse(text) / 1000;

describe('parseCadence', () => {
  it.each(['0 4 * * 0', '0 3 1 * *', '*/5 * * * * *', '@weekly', '0 0 29 2 *', '15 10 * * MON-FRI'])(
    'understands %s',
    (text) => expect(parseCadence(text)).toBeDefined(),
  );

  it.each([
    '',
    'now and then',
    '61 * * * *',
    '* * *',
    '@reboot',
    '2030-01-01T00:00:00',
    `${'0,'.repeat(100)}0 * * * *`,
  ])('finds no meaning in %j', (text) => expect(parseCadence(text)).toBeUndefined());

  it.each(['0 0 30 2 *', '0 0 0 1 1 * 2020'])('takes %s, which never comes, for none', (text) =>
    expect(parseCadence(text)).toBeUndefined(),
  );
});

describe('overdueSeconds', () => {
  const weekly = '0 4 * * 0';
  const ranAt = '2026-03-01T04:00:10Z';

  it.each([
    { what: '0 before the next is due', cron: weekly, since: ranAt, now: '2026-03-08T03:59:59Z', seconds: 0 },
    { what: 'the time since it was due', cron: weekly, since: ranAt, now: '2026-03-08T05:00:00Z', seconds: 3600 },
    {
      what: 'counted from the first missed',
      cron: weekly,
      since: ranAt,
      now: '2026-03-16T04:00:00Z',
      seconds: 691_200,
    },
    {
      what: 'the same in UTC when clocks change',
      cron: '0 2 * * *',
      since: '2026-03-28T02:00:01Z',
      now: '2026-03-29T03:00:00Z',
      seconds: 3600,
    },
    { what: 'of seconds for seconds', cron: '*/10 * * * * *', since: ranAt, now: '2026-03-01T04:00:25Z', seconds: 5 },
    {
      what: 'right across leap years',
      cron: '0 0 29 2 *',
      since: '2024-03-01T00:00:00Z',
      now: '2028-03-01T00:00:00Z',
      seconds: 86_400,
    },
    {
      what: 'counted from the latest due moment when nothing is known',
      cron: weekly,
      now: '2026-03-08T05:00:00Z',
      seconds: 3600,
    },
  ])('is $what', ({ cron, since, now, seconds }) => {
    const sinceSeconds = since === undefined ? undefined : at(since);
    expect(overdueSeconds(parseCadence(cron)!, sinceSeconds, at(now))).toBe(seconds);
  });
});
