import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  ExporterUnderTest,
  gauge,
  histogram,
} from '../../../../src/components/exporters/prometheus/exporter-under-test.ts';
import { gaugesRequest } from '../../../support/otlp/gauges-request.ts';

const MIB = 1024 * 1024;

test(
  'memory follows the series on the page: a burst that expired is given back, next to series that stay',
  { timeout: 60_000 },
  async () => {
    await using exporter = await ExporterUnderTest.start({ metric_expiration: '2s' });
    const staying = gaugesRequest({ job: 'innocent', names: ['staying'], values: numbered(200) });
    await exporter.consumeBytes(staying);
    const before = usedBytes();
    for (let part = 0; part < 10; part++) {
      const values = numbered(2000, `${part} ${'x'.repeat(1000)}`);
      await exporter.consumeBytes(gaugesRequest({ names: ['burst'], values }));
      await exporter.consumeBytes(staying);
    }
    await expect
      .poll(
        async () => {
          await exporter.consumeBytes(staying);
          return usedBytes();
        },
        { timeout: 30_000, interval: 200 },
      )
      .toBeLessThan(before + 12 * MIB);
    expect(await exporter.lines()).toHaveLength(200);
    expect(await exporter.dropped()).toEqual({});
  },
);

test('names that never have a series are not kept', { timeout: 60_000 }, async () => {
  await using exporter = await ExporterUnderTest.start({ metric_expiration: '400ms', max_series: 1 });
  await exporter.consumeBytes(gaugesRequest({ job: 'a', names: ['first'] }));
  const before = usedBytes();
  for (let part = 0; part < 8; part++) {
    const names = Array.from({ length: 5000 }, (_, i) => `name_${'x'.repeat(100)}_${part}_${i}`);
    await exporter.consumeBytes(gaugesRequest({ names }));
  }
  await expect.poll(usedBytes, { timeout: 30_000, interval: 200 }).toBeLessThan(before + 12 * MIB);
  await expect.poll(() => exporter.lines()).toEqual([]);
});

test('beyond max_series_bytes, new series are refused and others keep updating', async () => {
  await using exporter = await ExporterUnderTest.start({ max_series_bytes: MIB });
  const first = gaugesRequest({ names: ['first'] });
  await exporter.consumeBytes(first);
  await exporter.consumeBytes(gaugesRequest({ names: ['burst'], values: numbered(1000, 'x'.repeat(2000)) }));
  await exporter.consumeBytes(first);
  const { max_series_bytes: refused = 0, ...others } = await exporter.dropped();
  expect(others).toEqual({});
  expect(refused).toBeGreaterThan(700);
  expect(refused).toBeLessThan(900);
  expect(await exporter.lines()).toHaveLength(1 + 1000 - refused);
});

test.each([
  ['max_series', { max_series: 200 }],
  ['max_series_bytes', { max_series_bytes: MIB }],
] as const)('a sender that exceeds %s leaves room for others and for the database', async (reason, limit) => {
  await using exporter = await ExporterUnderTest.start(limit);
  await exporter.consumeBytes(gaugesRequest({ names: ['burst'], values: numbered(5000) }));
  for (let i = 0; i < 9; i++) {
    await exporter.consumeBytes(gaugesRequest({ job: `other ${i}`, names: [`other_${i}`] }));
  }
  await exporter.consumeBytes(gaugesRequest({ job: 'db', names: ['rows'], values: numbered(100) }), true);
  const lines = await exporter.lines();
  expect(lines.filter((line) => line.startsWith('other_'))).toHaveLength(9);
  expect(lines.filter((line) => line.startsWith('rows{'))).toHaveLength(100);
  const burst = lines.filter((line) => line.startsWith('burst{'));
  expect(await exporter.dropped()).toEqual({ [reason]: 5000 - burst.length });
});

test('siphon_prometheus_series names the ten jobs with most series', async () => {
  await using exporter = await ExporterUnderTest.start();
  for (let i = 1; i <= 12; i++) {
    await exporter.consumeBytes(gaugesRequest({ job: `job ${i}`, names: [`g${i}`], values: numbered(i) }));
  }
  const { other, ...jobs } = await exporter.seriesByJob();
  expect(other).toBe(1 + 2);
  expect(jobs).toEqual(
    Object.fromEntries(
      numbered(12)
        .slice(2)
        .map((_, i) => [`job ${i + 3}`, i + 3]),
    ),
  );
});

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('labels that the page repeats for each bucket are limited together', async () => {
  await using exporter = await ExporterUnderTest.start({ max_series_bytes: 4 * MIB });
  const bounds = Array.from({ length: 1000 }, (_, i) => i);
  const counts = Array.from({ length: 1001 }, () => 1);
  const send = (i: number): Promise<unknown> =>
    exporter.consume([histogram('h', { count: 1001, bounds, counts }, { labels: { a: `${'x'.repeat(2000)}${i}` } })]);
  for (let i = 0; i < 10; i++) await send(i);
  expect(await exporter.dropped()).toEqual({ max_series_bytes: 9 });
  const page = await (await exporter.scrape()).text();
  expect(page.length).toBeGreaterThan(2e6);
  expect(page.length).toBeLessThan(3e6);
  await exporter.consume([gauge('g', 1)]);
  expect(await exporter.lines()).toContain('g 1');
});
