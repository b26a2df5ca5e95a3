import { expect, test } from 'vitest';
import { counter, delta, ExporterUnderTest, gauge, histogram, type Json } from './exporter-under-test.ts';

const nsFromNow = (seconds: number): bigint => BigInt(Date.now() + seconds * 1000) * 1_000_000n;

test.each([3600, 86_400])('a clock that goes back by %d seconds shows the new values immediately', async (step) => {
  await using exporter = await ExporterUnderTest.start();
  const all = (value: number, seconds: number): Json[] => [
    gauge('g', value, { time: nsFromNow(seconds) }),
    counter('c', value, { start: nsFromNow(seconds - 10), time: nsFromNow(seconds) }),
    delta('d', value, { start: nsFromNow(seconds - 10), time: nsFromNow(seconds) }),
    histogram(
      'h',
      { count: value, counts: [value], temporality: 1 },
      { start: nsFromNow(seconds - 10), time: nsFromNow(seconds) },
    ),
  ];
  await exporter.consume([...all(1, step), gauge('gone', 1, { time: nsFromNow(step) })]);
  await exporter.consume([...all(10, 0), gauge('gone', undefined, { time: nsFromNow(0), flags: 1 })]);
  await exporter.consume(all(20, 10));
  expect(await exporter.lines()).toEqual(['c_total 20', 'd_total 31', 'g 20', 'h_bucket{le="+Inf"} 31', 'h_count 31']);
  expect(await exporter.dropped()).toEqual({});
  expect(exporter.log.lines.filter(({ msg }) => String(msg).includes('clock'))).toHaveLength(1);
});

test('points in another order are not a clock that was set', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume([gauge('g', 2, { time: nsFromNow(0) }), gauge('ahead', 2, { time: nsFromNow(300) })]);
  await exporter.consume([gauge('g', 1, { time: nsFromNow(-600) }), gauge('ahead', 1, { time: nsFromNow(290) })]);
  expect(await exporter.lines()).toEqual(['ahead 2', 'g 2']);
  expect(await exporter.dropped()).toEqual({ out_of_order: 2 });
});
