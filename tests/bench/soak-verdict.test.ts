import { describe, expect, it } from 'vitest';
import { verdict, type Sample } from './soak-verdict.ts';

const order = {
  minutes: 30,
  pointsPerSecond: 50_000,
  series: 100_000,
  churnPercentPerMinute: 10,
  expirationMinutes: 2,
  varies: true,
};
const load = { acceptedPerSecond: 49_990, failure: undefined };

/** One sample a minute, with a sawtooth of 20 MiB. */
function samples(change: (minute: number) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: 31 }, (_, minute) => ({
    minute,
    residentMebibytes: 200 + (minute % 2) * 20,
    series: 120_000,
    scrapeMs: 100,
    ...change(minute),
  }));
}

describe('the verdict of a soak', () => {
  it('accepts flat memory regardless of the warm-up', () => {
    const warmingUp = samples((minute) => (minute < 10 ? { residentMebibytes: minute * 15, series: 100_000 } : {}));
    expect(verdict(order, warmingUp, load)).toMatchObject({ passed: true, findings: [], expectedSeries: 120_000 });
  });

  it('measures growth in MiB per hour, and allows less in a long run', () => {
    const growing = samples((minute) => ({ residentMebibytes: 200 + 1.5 * minute }));
    const { growthMebibytesPerHour, findings } = verdict(order, growing, load);
    expect(growthMebibytesPerHour).toBeCloseTo(90);
    expect(findings).toEqual(['memory grows']);
    const slowly = samples((minute) => ({ minute: minute * 4, residentMebibytes: 200 + minute / 15 }));
    expect(verdict({ ...order, minutes: 120 }, slowly, load)).toMatchObject({ findings: ['memory grows'] });
    const flat = samples((minute) => ({ minute: minute * 4 }));
    expect(verdict({ ...order, minutes: 120 }, flat, load).findings).toEqual([]);
  });

  it.each([
    ['series do not expire', samples((minute) => ({ series: 100_000 + 10_000 * minute })), load],
    ['series are missing', samples((minute) => (minute === 20 ? { series: 100_000 } : {})), load],
    ['the load was not kept up', samples(), { ...load, acceptedPerSecond: 40_000 }],
    ['the target refused points', samples(), { ...load, failure: 'the target refused points' }],
    ['too few samples', samples().slice(0, 16), load],
  ])('reports that %s', (finding, taken, accepted) => {
    expect(verdict(order, taken, accepted)).toMatchObject({ passed: false, findings: [finding] });
  });
});
