import { afterEach, expect, test, vi } from 'vitest';
import { attributes, ExporterUnderTest, gauge, type Json } from './exporter-under-test.ts';

afterEach(() => void vi.useRealTimers());

const resource = (values: Readonly<Record<string, string>>): Json => ({ attributes: attributes(values) });

test('series beyond max_series are dropped and counted, and leave room when they are withdrawn', async () => {
  await using exporter = await ExporterUnderTest.start({ max_series: 2 });
  await exporter.consume(['1', '2', '3'].map((a) => gauge('g', 1, { labels: { a } })));
  expect(await exporter.lines()).toEqual(['g{a="1"} 1', 'g{a="2"} 1']);
  expect(await exporter.dropped()).toEqual({ max_series: 1 });
  await exporter.consume([
    gauge('g', undefined, { labels: { a: '1' }, flags: 1 }),
    gauge('g', 3, { labels: { a: '3' } }),
  ]);
  expect(await exporter.lines()).toEqual(['g{a="2"} 1', 'g{a="3"} 3']);
});

test('target_info counts towards max_series, and is omitted when the page is full', async () => {
  await using exporter = await ExporterUnderTest.start({ max_series: 2 });
  const [first, second] = ['1', '2'].map((instance) =>
    resource({ 'service.name': 's', 'service.instance.id': instance }),
  );
  await exporter.consume([gauge('a', 1), gauge('b', 2)], first);
  await exporter.consume([gauge('a', 3)], second);
  expect(await exporter.lines()).toEqual(['a{instance="1",job="s"} 1', 'target_info{instance="1",job="s"} 1']);
  expect(await exporter.dropped()).toEqual({ max_series: 2 });
});

test('invented targets leave room for a target that sends again', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  await using exporter = await ExporterUnderTest.start({ max_series: 100 });
  const last = async () => (await exporter.lines()).at(-1);
  for (let i = 0; i < 200; i++) await exporter.consume([gauge('a', 1)], resource({ 'service.name': `invented ${i}` }));
  expect(await exporter.lines()).toHaveLength(95);
  await exporter.consume([gauge('z', 1)], resource({ 'service.name': 'honest' }));
  expect(await last()).toContain('invented');
  vi.advanceTimersByTime(10_000);
  await exporter.consume([gauge('z', 2)], resource({ 'service.name': 'honest' }));
  expect(await last()).toBe('z{job="honest"} 2');
  expect(await exporter.dropped()).toEqual({ max_series: 106 });
});
