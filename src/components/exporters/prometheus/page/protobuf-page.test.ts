import { expect, test } from 'vitest';
import { parsePrometheusProtobuf, type Message } from '../../../../../tests/support/prometheus/prometheus-protobuf.ts';
import { counter, ExporterUnderTest, gauge, histogram, type Json } from '../exporter-under-test.ts';

const ACCEPT =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.5';

async function families(exporter: ExporterUnderTest): Promise<Message[]> {
  const answer = await exporter.scrape({ accept: ACCEPT });
  expect(answer.headers.get('content-type')).toMatch(/^application\/vnd\.google\.protobuf; proto=/);
  return parsePrometheusProtobuf(new Uint8Array(await answer.arrayBuffer()));
}

interface Exponential {
  readonly scale: number;
  readonly offset?: number;
  readonly counts?: readonly number[];
  readonly temporality?: 1 | 2;
  readonly time?: number;
  /** The sum of `counts` if absent. */
  readonly count?: number;
  readonly sum?: number | string;
  readonly exemplars?: readonly Json[];
}

function exponential({
  scale,
  offset = 0,
  counts = [],
  temporality = 2,
  time = 1,
  sum = 1,
  exemplars = [],
  ...given
}: Exponential): Json {
  const { count = counts.reduce((total, one) => total + one, 0) } = given;
  const positive = { offset, bucketCounts: counts.map(String) };
  const point = { count: String(count), sum, scale, zeroCount: '0', positive, timeUnixNano: String(time), exemplars };
  return { name: 'e', exponentialHistogram: { aggregationTemporality: temporality, dataPoints: [point] } };
}

async function shown(...sent: readonly Json[]): Promise<Message> {
  await using exporter = await ExporterUnderTest.start({ enable_open_metrics: true });
  for (const metric of sent) await exporter.consume([metric]);
  const [family] = (await families(exporter)) as { metrics: { histogram: Message }[] }[];
  return family?.metrics[0]?.histogram ?? {};
}

test('the protobuf page has the same content as the text page', async () => {
  await using exporter = await ExporterUnderTest.start({ send_timestamps: true });
  const quantileValues = [{ quantile: 0.5, value: 7 }];
  await exporter.consume([
    gauge('g', 1.5, { labels: { a: 'x"\\\n', b: 'ż' }, time: 5_000_000 }),
    counter('c', 3, { start: 2_000_000_001n }),
    histogram('h', { count: 6, sum: 12, bounds: [1, 10], counts: [1, 2, 3] }),
    { name: 's', description: 'help', summary: { dataPoints: [{ count: '2', sum: 3, quantileValues }] } },
  ]);
  const labels = [
    { name: 'a', value: 'x"\\\n' },
    { name: 'b', value: 'ż' },
  ];
  const counted = { value: 3, created: { seconds: 2, nanos: 1 } };
  const buckets = [
    { count: 1, bound: 1 },
    { count: 3, bound: 10 },
  ];
  const quantiles = [{ quantile: 0.5, value: 7 }];
  expect(await families(exporter)).toEqual([
    { name: 'c_total', help: '', type: 0, metrics: [{ counter: counted }] },
    { name: 'g', help: '', type: 1, metrics: [{ labels, gauge: { value: 1.5 }, timestampMs: 5 }] },
    { name: 'h', help: '', type: 4, metrics: [{ histogram: { count: 6, sum: 12, buckets } }] },
    { name: 's', help: 'help', type: 2, metrics: [{ summary: { count: 2, sum: 3, quantiles } }] },
  ]);
});

test('a family whose length takes many bytes is read as one', async () => {
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume(
    Array.from({ length: 5000 }, (_, i) => gauge('g', i, { labels: { a: 'x'.repeat(i % 200) + i } })),
  );
  const [family] = (await families(exporter)) as { metrics: { gauge: { value: number } }[] }[];
  expect(family?.metrics.map(({ gauge: { value } }) => value)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
});

test.each([
  {
    behaviour: 'an exponential histogram is a native one',
    sent: [exponential({ scale: 2, offset: -2, counts: [1, 0, 2] })],
    expected: { count: 3, schema: 2, positiveSpans: [{ offset: -1, length: 3 }], positiveDeltas: [1, -1, 2] },
  },
  {
    behaviour: 'a scale above 8 is made coarser',
    sent: [exponential({ scale: 10, offset: 3, counts: [1, 1, 1, 1] })],
    expected: { schema: 8, positiveSpans: [{ offset: 1, length: 2 }], positiveDeltas: [1, 2] },
  },
  {
    behaviour: 'deltas add up, in the coarser of their scales, with a span for buckets far away',
    sent: [
      exponential({ scale: 1, offset: 0, counts: [1, 2], temporality: 1, time: 1 }),
      exponential({ scale: 0, offset: 9, counts: [5], temporality: 1, time: 2 }),
    ],
    expected: {
      count: 8,
      schema: 0,
      positiveSpans: [
        { offset: 1, length: 1 },
        { offset: 8, length: 1 },
      ],
      positiveDeltas: [3, 2],
    },
  },
  {
    behaviour: 'more buckets than Prometheus should bear become fewer',
    sent: [exponential({ scale: 8, offset: 0, counts: Array.from({ length: 2000 }, () => 1) })],
    expected: { count: 2000, schema: 7, positiveSpans: [{ offset: 1, length: 1000 }] },
  },
])('$behaviour', async ({ sent, expected }) => {
  expect(await shown(...sent)).toMatchObject(expected);
});

/** An exemplar of an observation at this time, with a trace whose id is the time. */
function exemplar(asDouble: number, time: number): Json {
  const traceId = time.toString(16).padStart(32, '0');
  return { traceId, spanId: '0102030405060708', asDouble, timeUnixNano: String(time) };
}

/** The values and times of the exemplars of the last histogram, by time. */
async function exemplarsOf(...sent: readonly Exponential[]): Promise<[value: number, time: number][]> {
  const { exemplars = [] } = (await shown(...sent.map(exponential))) as {
    exemplars?: { value: number; time: { nanos: number } }[];
  };
  return exemplars
    .map(({ value, time: { nanos } }): [number, number] => [value, nanos])
    .toSorted(([, a], [, b]) => a - b);
}

test('a native histogram has the latest exemplar of each bucket, also after points without exemplars', async () => {
  const counts = [1, 1, 1];
  const [slow, fast, zero, faster] = [exemplar(7, 1), exemplar(3, 2), exemplar(0, 3), exemplar(2.5, 4)];
  const first = { scale: 0, counts, exemplars: [slow, fast, zero] };
  expect(
    await exemplarsOf(first, { scale: 0, counts, time: 5, exemplars: [faster] }, { scale: 0, counts, time: 6 }),
  ).toEqual([
    [7, 1],
    [0, 3],
    [2.5, 4],
  ]);
});

test('exemplars whose native buckets have become one are one', async () => {
  const fine = { scale: 1, counts: [1, 1, 1, 1], exemplars: [exemplar(1.3, 1), exemplar(1.7, 2), exemplar(3.5, 3)] };
  const coarse = { scale: 0, counts: [2, 2], time: 5, exemplars: [exemplar(3.6, 4)] };
  expect(await exemplarsOf(fine, coarse)).toEqual([
    [1.7, 2],
    [3.6, 4],
  ]);
});

test('a native histogram has no more exemplars than buckets', async () => {
  const exemplars = Array.from({ length: 500 }, (_, i) => exemplar(2 ** i, i + 1));
  expect(await exemplarsOf({ scale: 0, counts: [1], exemplars })).toHaveLength(2);
});

test('counters and buckets have exemplars, but none with the trace 0', async () => {
  await using exporter = await ExporterUnderTest.start({ enable_open_metrics: true });
  const exemplars = [exemplar(0.5, 1), exemplar(0.7, 0), exemplar(5, 2)];
  const sum = { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ asDouble: 1, exemplars }] };
  const point = { count: '2', sum: 5.5, explicitBounds: [1], bucketCounts: ['1', '1'], exemplars };
  await exporter.consume([
    { name: 'c', sum },
    { name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [point] } },
  ]);
  expect(await families(exporter)).toMatchObject([
    { metrics: [{ counter: { exemplar: { value: 5 } } }] },
    { metrics: [{ histogram: { buckets: [{ exemplar: { value: 0.5 } }, { exemplar: { value: 5 } }] } }] },
  ]);
});

test('a histogram with new bounds has no exemplars of the old ones', async () => {
  await using exporter = await ExporterUnderTest.start({ enable_open_metrics: true });
  const point = { count: '1', sum: 5, explicitBounds: [10], bucketCounts: ['1', '0'], timeUnixNano: '1' };
  const before = { ...point, exemplars: [exemplar(5, 1)] };
  const after = { ...point, explicitBounds: [1], bucketCounts: ['0', '1'], timeUnixNano: '2' };
  for (const dataPoints of [[before], [after]]) {
    await exporter.consume([{ name: 'h', histogram: { aggregationTemporality: 2, dataPoints } }]);
  }
  const accept = 'application/openmetrics-text;version=1.0.0';
  expect((await exporter.lines({ accept })).filter((line) => line.includes('trace_id'))).toEqual([]);
});

test('an exponential histogram too coarse for Prometheus has a count and a sum only', async () => {
  expect(await shown(exponential({ scale: -5, counts: [4] }))).toEqual({ count: 4, sum: 1 });
});

test.each([
  ['fewer', { counts: [1, 2, 3], count: 9 }],
  ['more', { counts: [1, 2, 3], count: 5 }],
  ['more, and a sum that is not a number', { counts: [1, 2, 3], count: 5, sum: 'NaN' }],
  ['buckets outside of all numbers', { counts: [1], offset: 2 ** 31 - 1 }],
])('an exponential histogram with %s observations in buckets has a count and a sum only', async (_, sent) => {
  const onPage = await shown(exponential({ scale: 0, ...sent }));
  expect(Object.keys(onPage).toSorted()).toEqual(['count', 'sum']);
});

test('observations that are not numbers are in no bucket', async () => {
  const onPage = await shown(exponential({ scale: 0, counts: [1, 2, 3], count: 9, sum: 'NaN' }));
  expect(onPage).toMatchObject({ count: 9, positiveDeltas: [1, 1, 1] });
});

test('exponential deltas between explicit ones of the same series have a count and a sum only', async () => {
  const explicit = histogram('e', { count: 2, sum: 1, counts: [2], temporality: 1 }, { time: 2 });
  const [first, last] = [1, 3].map((time) => exponential({ scale: 0, counts: [1], temporality: 1, time }));
  expect(await shown(first, explicit, last)).toEqual({ count: 4, sum: 3 });
});

test('a histogram that is explicit now has no native buckets any more', async () => {
  const explicit = histogram('e', { count: 1, sum: 1, bounds: [1], counts: [1, 0] }, { time: 2 });
  const both = await shown(exponential({ scale: 0, counts: [1] }), explicit);
  expect(both).toEqual({ count: 1, sum: 1, buckets: [{ count: 1, bound: 1 }] });
});
