import { describe, expect, it } from 'vitest';
import { dueRuns, overdueSeconds, parseCadence } from './cadence.ts';

const at = (text: string): number => Date.parse(text) / 1000;
const inUtc = (cron: string): ReturnType<typeof parseCadence> => parseCadence({ cron, timezone: 'UTC' });

describe('parseCadence', () => {
  it.each(['0 4 * * 0', '0 3 1 * *', '*/5 * * * * *', '@weekly', '0 0 29 2 *', '15 10 * * MON-FRI'])(
    'understands %s',
    (text) => expect(inUtc(text)).toBeDefined(),
  );

  it.each([
    '',
    'now and then',
    '61 * * * *',
    '* * *',
    '@reboot',
    '2030-01-01T00:00:00',
    `${'0,'.repeat(100)}0 * * * *`,
  ])('finds no meaning in %j', (text) => expect(inUtc(text)).toBeUndefined());

  it.each(['0 0 30 2 *', '0 0 0 1 1 * 2020'])('takes %s, which never comes, for none', (text) =>
    expect(inUtc(text)).toBeUndefined(),
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
    {
      what: '0 if the run started an hour early',
      cron: weekly,
      since: '2026-03-08T03:00:00Z',
      now: '2026-03-15T03:59:59Z',
      seconds: 0,
    },
    {
      what: 'counted from the moment that a run was too early for',
      cron: weekly,
      since: '2026-03-08T02:59:59Z',
      now: '2026-03-08T05:00:00Z',
      seconds: 3600,
    },
    {
      what: '0 if the run started a second before its month',
      cron: '0 3 1 * *',
      since: '2026-03-01T02:59:59Z',
      now: '2026-03-28T00:00:00Z',
      seconds: 0,
    },
    {
      what: 'at most a tenth of the period early',
      cron: '0 * * * *',
      since: '2026-03-08T03:53:59Z',
      now: '2026-03-08T04:30:00Z',
      seconds: 1800,
    },
    {
      what: '0 a tenth of the period early',
      cron: '0 * * * *',
      since: '2026-03-08T03:54:00Z',
      now: '2026-03-08T04:30:00Z',
      seconds: 0,
    },
  ])('is $what', ({ cron, since, now, seconds }) => {
    const start = since === undefined ? undefined : at(since);
    expect(overdueSeconds(inUtc(cron)!, { ranAt: start }, at(now))).toBe(seconds);
  });

  it('does not excuse a roaster that was added just before a run was due', () => {
    const expectedSince = at('2026-03-08T03:59:59Z');
    expect(overdueSeconds(inUtc(weekly)!, { expectedSince }, at('2026-03-08T05:00:00Z'))).toBe(3600);
  });

  it.each([
    { what: 'a night without 02:30', since: '2026-03-28T01:30:10Z', now: '2026-03-29T00:59:59Z', seconds: 0 },
    { what: 'that night, later', since: '2026-03-28T01:30:10Z', now: '2026-03-29T02:00:00Z', seconds: 3600 },
    { what: 'the night after it', since: '2026-03-29T01:00:10Z', now: '2026-03-30T00:29:59Z', seconds: 0 },
    { what: 'a night with 02:30 twice', since: '2026-10-24T00:30:10Z', now: '2026-10-25T00:29:59Z', seconds: 0 },
    { what: 'its second 02:30', since: '2026-10-25T00:30:10Z', now: '2026-10-25T01:31:00Z', seconds: 0 },
    { what: 'the day after it', since: '2026-10-25T00:30:10Z', now: '2026-10-26T01:29:59Z', seconds: 0 },
    { what: 'that day, later', since: '2026-10-25T00:30:10Z', now: '2026-10-26T02:30:00Z', seconds: 3600 },
  ])('is right in a time zone with daylight saving: $what', ({ since, now, seconds }) => {
    const cadence = parseCadence({ cron: '30 2 * * *', timezone: 'Europe/Berlin' })!;
    expect(overdueSeconds(cadence, { ranAt: at(since) }, at(now))).toBe(seconds);
  });

  it('depends on the time zone', () => {
    const start = at('2026-03-07T22:30:00Z');
    const now = at('2026-03-08T10:30:00Z');
    const seconds = (timezone: string): number =>
      overdueSeconds(parseCadence({ cron: weekly, timezone })!, { ranAt: start }, now);
    expect([seconds('Asia/Kolkata'), seconds('UTC')]).toEqual([0, 6.5 * 3600]);
  });
});

describe('dueRuns', () => {
  const weekly = inUtc('0 4 * * 0')!;

  it.each([
    { what: 'zero before the next', ranAt: '2026-03-01T04:00:10Z', now: '2026-03-08T03:59:59Z', runs: 0 },
    { what: 'one', ranAt: '2026-03-01T04:00:10Z', now: '2026-03-08T04:00:00Z', runs: 1 },
    { what: 'one, after a run that was early', ranAt: '2026-03-01T03:59:59Z', now: '2026-03-08T04:00:00Z', runs: 1 },
    { what: 'two', ranAt: '2026-03-01T04:00:10Z', now: '2026-03-15T04:00:00Z', runs: 2 },
    { what: 'no more than asked for', ranAt: '2016-03-01T04:00:10Z', now: '2026-03-15T04:00:00Z', runs: 3 },
  ])('are $what', ({ ranAt, now, runs }) => {
    expect(dueRuns(weekly, { ranAt: at(ranAt) }, { now: at(now), most: 3 })).toBe(runs);
  });

  it('are not counted if nothing is known', () =>
    expect(dueRuns(weekly, {}, { now: at('2026-03-15T04:00:00Z'), most: 3 })).toBe(0));
});
