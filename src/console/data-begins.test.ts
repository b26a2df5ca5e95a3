import { expect, it } from 'vitest';
import { dataBegins } from './data-begins.ts';
import { momentsOf, type DataSource } from './data-source.ts';

const TO_S = 1_800_000_000;

async function nothing(): Promise<readonly never[]> {
  return [];
}

/** A sidecar that has data from then on. */
function dataSince(beginsS: number): DataSource {
  return {
    labelValues: nothing,
    at: nothing,
    exemplars: nothing,
    over: async (_, steps) => {
      const values = momentsOf(steps).map((momentS) => (momentS >= beginsS ? 1 : null));
      return values.some((value) => value !== null) ? [{ labels: {}, values }] : [];
    },
  };
}

it.each([
  ['ten minutes of an hour', 3600, 600],
  ['ten minutes of a month', 2_592_000, 600],
  ['a day of two', 172_800, 86_400],
])('finds the beginning: %s', async (_, lengthS, ageS) => {
  const found = (await dataBegins(dataSince(TO_S - ageS), { fromS: TO_S - lengthS, toS: TO_S }))!;
  expect(found).toBeGreaterThanOrEqual(TO_S - ageS);
  expect(found).toBeLessThanOrEqual(TO_S - ageS + lengthS / 1000);
});

it('is silent if there is data all the time, none at all, or no answer', async () => {
  const hour = { fromS: TO_S - 3600, toS: TO_S };
  expect(await dataBegins(dataSince(0), hour)).toBeUndefined();
  expect(await dataBegins(dataSince(hour.fromS + 30), hour)).toBeUndefined();
  expect(await dataBegins(dataSince(Infinity), hour)).toBeUndefined();
  const broken = { ...dataSince(0), over: async () => await Promise.reject(new Error('off')) };
  expect(await dataBegins(broken, hour)).toBeUndefined();
});
