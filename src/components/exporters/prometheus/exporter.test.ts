import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  attributes,
  counter,
  delta,
  ExporterUnderTest,
  gauge,
  histogram,
  type Json,
  type PointOptions,
} from './exporter-under-test.ts';

const resource = (values: Readonly<Record<string, string>>): Json => ({ attributes: attributes(values) });

const series = (name: string, count: number): Json[] =>
  Array.from({ length: count }, (_, i) => counter(name, i, { labels: { a: String(i) }, time: 1 }));

const between = (startSeconds: number, seconds: number): PointOptions => ({
  labels: { a: 'x' },
  start: BigInt(startSeconds) * 1_000_000_000n,
  time: BigInt(seconds) * 1_000_000_000n,
});

const exemplar = (traceId: string, value: number): Json => ({ traceId, spanId: '0102030405060708', asDouble: value });

interface Case {
  readonly behaviour: string;
  /** One request each. */
  readonly sent: readonly (readonly Json[])[];
  readonly shown: readonly string[];
  readonly dropped?: Record<string, number>;
}

const cases: readonly Case[] = [
  { behaviour: 'an exporter with nothing to show answers an empty page', sent: [], shown: [] },
  {
    behaviour: 'the same attributes in another order are the same series',
    sent: [
      [counter('n', 1, { labels: { a: '1', b: '2' }, time: 1 })],
      [counter('n', 2e6, { labels: { b: '2', a: '1' }, time: 2 })],
    ],
    shown: ['n_total{a="1",b="2"} 2e+06'],
  },
  {
    behaviour: 'deltas add up across a gap, and one that comes twice counts once',
    sent: [5, 7, 7, 9].map((time) => [delta('n', time, { time })]),
    shown: ['n_total 21'],
    dropped: { out_of_order: 1 },
  },
  {
    behaviour: 'deltas whose intervals overlap are all added',
    sent: [1, 2, 3, 4, 5, 6].map((i) => [delta('n', 1, { start: i * 995 + 1, time: i * 995 + 1000 })]),
    shown: ['n_total 6'],
  },
  {
    behaviour: 'deltas that each begin before the last one ended, as telemetrygen sends them, are all added',
    sent: [Array.from({ length: 10 }, (_, i) => delta('n', 1, { start: 1000 + i * 10, time: 2000 + i * 10 }))],
    shown: ['n_total 10'],
  },
  {
    behaviour: 'a delta that begins before the first one is not added',
    sent: [[delta('n', 5, { start: 5, time: 10 })], [delta('n', 3, { start: 4, time: 20 })]],
    shown: ['n_total 5'],
    dropped: { out_of_order: 1 },
  },
  {
    behaviour: 'times that differ by one nanosecond are different',
    sent: [
      [delta('n', 1, { time: 1_790_000_000_000_000_001n })],
      [delta('n', 1, { time: 1_790_000_000_000_000_002n })],
      [delta('n', 1, { time: 1_790_000_000_000_000_002n })],
    ],
    shown: ['n_total 2'],
    dropped: { out_of_order: 1 },
  },
  {
    behaviour: 'delta histograms add up; other bounds start from 0',
    sent: [
      [histogram('h', { count: 3, sum: 2, bounds: [1], counts: [1, 2], temporality: 1 }, { time: 1 })],
      [histogram('h', { count: 1, sum: 5, bounds: [1], counts: [0, 1], temporality: 1 }, { time: 2 })],
      [histogram('i', { count: 3, sum: 2, bounds: [1], counts: [1, 2], temporality: 1 }, { time: 1 })],
      [histogram('i', { count: 1, sum: 5, bounds: [2], counts: [0, 1], temporality: 1 }, { time: 2 })],
    ],
    shown: [
      'h_bucket{le="1"} 1',
      'h_bucket{le="+Inf"} 4',
      'h_sum 7',
      'h_count 4',
      'i_bucket{le="2"} 0',
      'i_bucket{le="+Inf"} 1',
      'i_sum 5',
      'i_count 1',
    ],
  },
  {
    behaviour: 'a histogram without sum shows none',
    sent: [[histogram('h', { count: 3 }, { labels: { a: '1' } })]],
    shown: ['h_bucket{a="1",le="+Inf"} 3', 'h_count{a="1"} 3'],
  },
  {
    behaviour: 'bounds that cannot be labels cost their point only',
    sent: [
      [
        histogram('h', { count: 3, bounds: ['NaN' as unknown as number, 1], counts: [1, 1, 1] }),
        histogram('h', { count: 3, bounds: [1], counts: [1] }, { labels: { a: '2' } }),
        histogram('i', { count: 3, bounds: [1, 2], counts: [1] }),
        gauge('g', 1),
      ],
    ],
    shown: ['g 1', 'h_bucket{a="2",le="1"} 1', 'h_bucket{a="2",le="+Inf"} 3', 'h_count{a="2"} 3'],
    dropped: { invalid_buckets: 2 },
  },
  {
    behaviour: 'bounds and quantiles are sorted; repeated ones are shown once',
    sent: [1, 2].map((time) => [
      histogram('h', { count: 10, bounds: [5, 1, 5, 2], counts: [4, 1, 2, 2, 1], temporality: 1 }, { time }),
      {
        name: 's',
        summary: {
          dataPoints: [
            {
              count: '2',
              timeUnixNano: time,
              quantileValues: [0.9, 0.5, 0.9].map((quantile, value) => ({ quantile, value })),
            },
          ],
        },
      },
    ]),
    shown: [
      'h_bucket{le="1"} 2',
      'h_bucket{le="2"} 6',
      'h_bucket{le="5"} 14',
      'h_bucket{le="+Inf"} 20',
      'h_count 20',
      's{quantile="0.5"} 1',
      's{quantile="0.9"} 2',
      's_count 2',
    ],
  },
  {
    behaviour: 'bounds without counts are left out',
    sent: [[histogram('h', { count: 3, sum: 4, bounds: [1, 2] })]],
    shown: ['h_bucket{le="+Inf"} 3', 'h_sum 4', 'h_count 3'],
  },
  {
    behaviour: 'labels that collide after translation are joined',
    sent: [[counter('n', 1, { labels: { 'a.b': 'x', a_b: 'y' } })]],
    shown: ['n_total{a_b="x;y"} 1'],
  },
  {
    behaviour: 'attribute sets that come to the same labels do not overwrite each other',
    sent: [[gauge('g', 1, { labels: { 'a.b': 'x' }, time: 1 })], [gauge('g', 2, { labels: { a_b: 'x' }, time: 2 })]],
    shown: ['g{a_b="x"} 1'],
    dropped: { duplicate_series: 1 },
  },
  {
    behaviour: 'a point without recorded value takes its own series away only',
    sent: [
      [counter('n', 1, { labels: { a: '1' }, time: 1 }), counter('n', 1, { labels: { a: '2' }, time: 1 })],
      [
        counter('n', undefined, { labels: { a: '1' }, time: 2, flags: 1 }),
        counter('n', 3, { labels: { a: '2' }, time: 2 }),
      ],
    ],
    shown: ['n_total{a="2"} 3'],
  },
  {
    behaviour: 'a point without recorded value finds its series by attributes in any order',
    sent: [
      [gauge('g', 1, { labels: { a: '1', b: '2' }, time: 1 })],
      [gauge('g', undefined, { labels: { b: '2', a: '1' }, time: 2, flags: 1 })],
    ],
    shown: [],
  },
  {
    behaviour: 'a point without value is not 0',
    sent: [[gauge('g', undefined)]],
    shown: [],
    dropped: { no_value: 1 },
  },
  {
    behaviour: 'an older point does not replace a newer one',
    sent: [[gauge('g', 2, { time: 2 })], [gauge('g', 1, { time: 1 })]],
    shown: ['g 2'],
    dropped: { out_of_order: 1 },
  },
  {
    behaviour: 'a gauge may not take the name of a sample of a histogram',
    sent: [[histogram('x', { count: 1, sum: 1 }), gauge('x_count', 1), gauge('x_bucket', 1)], [gauge('x', 1)]],
    shown: ['x_bucket{le="+Inf"} 1', 'x_sum 1', 'x_count 1'],
    dropped: { type_conflict: 3 },
  },
  {
    behaviour: 'the first type of a name stays, and the other metric costs itself only',
    sent: [[gauge('same_total', 1), counter('same', 2), gauge('other', 3)]],
    shown: ['other 3', 'same_total 1'],
    dropped: { type_conflict: 1 },
  },
  {
    behaviour: 'a metric that has no series holds no name',
    sent: [[gauge('same_total', undefined)], [counter('same', 2)]],
    shown: ['same_total 2'],
    dropped: { no_value: 1 },
  },
  {
    behaviour: 'a name is free again when its last series is withdrawn',
    sent: [
      [gauge('same_total', 1)],
      [gauge('same_total', undefined, { flags: 1 })],
      [counter('same', 2)],
      [gauge('same_total', 1)],
    ],
    shown: ['same_total 2'],
    dropped: { type_conflict: 1 },
  },
  {
    behaviour: 'hostile label values cannot break the page',
    sent: [[counter('n', 1, { labels: { a: '"}\n\\' } })]],
    shown: ['n_total{a="\\"}\\n\\\\"} 1'],
  },
  {
    behaviour: 'labels that are too long cost their point only',
    sent: [[gauge('g', 1, { labels: { a: 'x'.repeat(100_000) } }), gauge('g', 2)]],
    shown: ['g 2'],
    dropped: { labels_too_long: 1 },
  },
];

test.each(cases)('$behaviour', async ({ sent, shown, dropped = {} }) => {
  await using exporter = await ExporterUnderTest.start();
  for (const metrics of sent) await exporter.consume(metrics);
  expect(await exporter.lines()).toEqual(shown);
  expect(await exporter.dropped()).toEqual(dropped);
});

test('labels that a histogram needs, and the name, move aside and are counted', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume([
    histogram('h', { count: 1 }, { labels: { le: 'x' } }),
    gauge('g', 1, { labels: { __name__: 'other', '.': 'nothing left' } }),
  ]);
  expect(await exporter.lines()).toEqual([
    'g{exported___name__="other"} 1',
    'h_bucket{exported_le="x",le="+Inf"} 1',
    'h_count{exported_le="x"} 1',
  ]);
  expect(await exporter.changedLabels()).toEqual({ renamed: 2, dropped: 1 });
});

test("labels named as the exporter's own move aside as often as it takes, and nothing is lost", async () => {
  await using exporter = await ExporterUnderTest.start({ const_labels: { job: 'fixed', exported_job: 'too' } });
  const labels = { job: 'x', exported_instance: 'w', instance: 'y' };
  await exporter.consume([gauge('g', 1, { labels })], resource({ 'service.name': 's', 'service.instance.id': 'i' }));
  expect(await exporter.lines()).toContain(
    'g{exported_exported_job="s;x",exported_instance="w;y",exported_job="too",instance="i",job="fixed"} 1',
  );
  expect(await exporter.changedLabels()).toEqual({ renamed: 3 });
});

test('an attribute of the resource named as a label of the target moves aside on target_info', async () => {
  await using exporter = await ExporterUnderTest.start();
  const identity = { 'service.name': 's', 'service.instance.id': 'i' };
  await exporter.consume([gauge('g', 1)], resource({ ...identity, job: 'x' }));
  expect(await exporter.lines()).toContain('target_info{exported_job="x",instance="i",job="s"} 1');
});

test('two resources with the same labels: the second is refused, counted and named once, until it outlives the first', async () => {
  await using exporter = await ExporterUnderTest.start();
  const identity = { 'service.name': 's', 'service.instance.id': 'i' };
  const [first, second] = [resource({ ...identity, pid: '1' }), resource({ ...identity, pid: '2' })];
  await exporter.consume([counter('n', 10, { start: 1, time: 10 })], first);
  await exporter.consume([counter('n', 1, { start: 5, time: 11 })], second);
  await exporter.consume([counter('n', 2, { start: 5, time: 12 })], second);
  const target = 'target_info{instance="i",job="s",pid="2"} 1';
  expect(await exporter.lines()).toEqual(['n_total{instance="i",job="s"} 10', target]);
  expect(await exporter.dropped()).toEqual({ duplicate_series: 2 });
  expect(exporter.log.lines.filter(({ reason }) => reason === 'duplicate_series')).toHaveLength(1);
  // A process that began after the last value has replaced the other.
  await exporter.consume([counter('n', 3, { start: 11, time: 13 })], second);
  expect(await exporter.lines()).toEqual(['n_total{instance="i",job="s"} 3', target]);
});

test('a gauge without a start time has its new value immediately if the resource has changed', async () => {
  await using exporter = await ExporterUnderTest.start();
  const [before, after] = ['h1', 'h2'].map((host) => resource({ 'service.name': 'a', 'host.name': host }));
  await exporter.consume([gauge('g', 2, { time: 10 }), gauge('other', 1, { time: 10 })], before);
  await exporter.consume([gauge('g', 99, { time: 11 })], after);
  expect(await exporter.lines()).toEqual(['g{job="a"} 99', 'other{job="a"} 1']);
  // Both are alive: the value does not jump between them.
  await exporter.consume([gauge('g', 3, { time: 12 })], before);
  await exporter.consume([gauge('g', 100, { time: 13 })], after);
  expect(await exporter.lines()).toContain('g{job="a"} 100');
  expect(await exporter.dropped()).toEqual({ duplicate_series: 1 });
  // An older value, or one with a start time, does not take over.
  const others = ['h3', 'h4'].map((host) => resource({ 'service.name': 'a', 'host.name': host }));
  await exporter.consume([gauge('g', 1, { time: 9 })], others[0]);
  await exporter.consume([gauge('g', 1, { start: 5, time: 14 })], others[1]);
  expect(await exporter.lines()).toContain('g{job="a"} 100');
});

test.each([
  [{ excluded: ['host.*'] }, 'os_type="linux"'],
  [{ included: ['host.*'] }, 'host_name="h"'],
  [{ included: ['*'], excluded: ['os.*'] }, 'host_name="h"'],
  [{}, ''],
])('resource_constant_labels %j selects attributes of the resource', async (chosen, labels) => {
  await using exporter = await ExporterUnderTest.start({ resource_constant_labels: chosen });
  await exporter.consume([gauge('g', 1)], resource({ 'host.name': 'h', 'os.type': 'linux' }));
  expect(await exporter.lines()).toEqual([labels === '' ? 'g 1' : `g{${labels}} 1`]);
});

test('a NUL in a UTF-8 name costs that series or that label only', async () => {
  await using exporter = await ExporterUnderTest.start({ translation_strategy: 'NoTranslation' });
  await exporter.consume([gauge('a\0b', 1), gauge('g', 2, { labels: { 'x\0': '1', y: 'a\0' } }), gauge('z', 3)]);
  const accept = 'text/plain;version=1.0.0;escaping=allow-utf-8';
  expect(await exporter.lines({ accept })).toEqual(['g{y="a\0"} 2', 'z 3']);
  expect(await exporter.dropped()).toEqual({ invalid_name: 1 });
});

test('series expire by time, without a scrape, and come back as new ones', async () => {
  await using exporter = await ExporterUnderTest.start({ metric_expiration: '500ms', max_series: 11 });
  for (let round = 0; round < 2; round++) {
    const labels = Array.from({ length: 10 }, (_, i) => ({ a: `${round} ${i}` }));
    await exporter.consume(labels.map((label) => delta('n', 1, { labels: label, time: round + 1 })));
    expect(await exporter.lines()).toHaveLength(10);
    await sleep(1200);
  }
  expect(await exporter.lines()).toEqual([]);
  expect(await exporter.dropped()).toEqual({});
});

test('send_timestamps shows milliseconds, cut off and not rounded', async () => {
  await using exporter = await ExporterUnderTest.start({ send_timestamps: true, enable_open_metrics: true });
  await exporter.consume([gauge('g', 1, { time: 1_790_000_000_000_999_999n }), gauge('unknown', 1)]);
  expect(await exporter.lines()).toEqual(['g 1 1790000000000', 'unknown 1']);
  const accept = 'application/openmetrics-text;version=1.0.0';
  expect(await exporter.lines({ accept })).toEqual(['g 1.0 1.79e+09', 'unknown 1.0']);
});

test('OpenMetrics shows the latest exemplar of each bucket and of a counter, if it leads to a trace', async () => {
  await using exporter = await ExporterUnderTest.start({ enable_open_metrics: true });
  const [one, two] = ['01'.repeat(16), '02'.repeat(16)];
  const exemplars = [exemplar(one, 0.5), exemplar(two, 0.6), exemplar('', 7), exemplar(one, 8)];
  const point = { count: '3', sum: 1.5, bucketCounts: ['2', '1'], explicitBounds: [1], exemplars };
  await exporter.consume([{ name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [point] } }]);
  const [family] = await exporter.families({ accept: 'application/openmetrics-text' });
  const [inner, outer] = family?.samples ?? [];
  expect(inner?.exemplar).toEqual({ labels: { trace_id: two, span_id: '0102030405060708' }, value: 0.6 });
  expect(outer?.exemplar).toEqual({ labels: { trace_id: one, span_id: '0102030405060708' }, value: 8 });
  expect(await exporter.lines()).toEqual(['h_bucket{le="1"} 2', 'h_bucket{le="+Inf"} 3', 'h_sum 1.5', 'h_count 3']);
});

test('OpenMetrics shows when counts began: deltas at the start of the first, others as they say last', async () => {
  await using exporter = await ExporterUnderTest.start({ enable_open_metrics: true });
  const accept = 'application/openmetrics-text';
  await exporter.consume([
    delta('d', 1, between(1, 2)),
    counter('c', 5, between(1, 2)),
    counter('unknown', 1, { time: 1 }),
  ]);
  await exporter.consume([delta('d', 1, between(2, 3)), counter('c', 1, between(3, 4))]);
  expect(await exporter.lines({ accept })).toEqual([
    'c_total{a="x"} 1.0',
    'c_created{a="x"} 3.0',
    'd_total{a="x"} 2.0',
    'd_created{a="x"} 1.0',
    'unknown_total 1.0',
  ]);
});

test('a quoted counter has a quoted time of its beginning', async () => {
  const config = { enable_open_metrics: true, translation_strategy: 'NoUTF8EscapingWithSuffixes' };
  await using exporter = await ExporterUnderTest.start(config);
  await exporter.consume([counter('a.b', 1, { labels: { c: 'x' }, start: 2_000_000_000n })]);
  expect(await exporter.lines({ accept: 'application/openmetrics-text;escaping=allow-utf-8' })).toEqual([
    '{"a.b_total",c="x"} 1.0',
    '{"a.b_created",c="x"} 2.0',
  ]);
  expect(await exporter.lines({ accept: 'application/openmetrics-text' })).toEqual([
    'a_b_total{c="x"} 1.0',
    'a_b_created{c="x"} 2.0',
  ]);
});

test('names are escaped for a scraper that does not ask for UTF-8', async () => {
  await using exporter = await ExporterUnderTest.start({ translation_strategy: 'NoTranslation' });
  await exporter.consume([gauge('a.b', 1, { labels: { 'l.m': '1', l_m: '2' } }), histogram('c d', { count: 1 })]);
  const bare = ['a_b{l_m="1;2"} 1', 'c_d_bucket{le="+Inf"} 1', 'c_d_count 1'];
  expect(await exporter.lines()).toEqual(bare);
  expect(await exporter.lines({ accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' })).toEqual([
    '{"a.b","l.m"="1",l_m="2"} 1',
    '{"c d_bucket",le="+Inf"} 1',
    '{"c d_count"} 1',
  ]);
  expect((await exporter.lines({ accept: 'text/plain;escaping=values' }))[0]).toBe(
    'U__a_2e_b{U__l_2e_m="1",l_m="2"} 1',
  );
  expect((await exporter.lines({ accept: 'text/plain;escaping=dots' }))[0]).toBe('a_dot_b{l__m="2",l_dot_m="1"} 1');
});

test('scrapes at the same time get the same page, plain or compressed', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume(Array.from({ length: 1000 }, (_, i) => gauge('g', i, { labels: { a: String(i) } })));
  const answers = await Promise.all(
    ['identity', 'gzip', 'identity', 'gzip;q=0'].map((encoding) => exporter.scrape({ 'accept-encoding': encoding })),
  );
  const pages = await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map((answer) => answer.headers.get('content-encoding'))).toEqual([null, 'gzip', null, null]);
  expect(new Set(pages).size).toBe(1);
});

test('large requests that come at the same time, and a scrape between them, do not mix', async () => {
  await using exporter = await ExporterUnderTest.start();
  await Promise.all([exporter.consume(series('n', 3000)), exporter.consume(series('m', 3000)), exporter.lines()]);
  const shown = new Set(await exporter.lines());
  const missing = Array.from({ length: 3000 }, (_, i) => [`m_total{a="${i}"} ${i}`, `n_total{a="${i}"} ${i}`]);
  expect(missing.flat().filter((line) => !shown.has(line))).toEqual([]);
  expect(shown.size).toBe(6000);
});

test('add_metric_suffixes: false is answered with a word on what to write instead', async () => {
  await using exporter = await ExporterUnderTest.start({ add_metric_suffixes: false });
  expect(exporter.log.lines.some(({ msg }) => String(msg).includes('translation_strategy'))).toBe(true);
});
