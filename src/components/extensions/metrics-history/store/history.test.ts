import { array, assert, asyncProperty, constantFrom, double, integer, nat, oneof, option } from 'fast-check';
import { expect, it } from 'vitest';
import { NO_ROOM, SINGLE, type SampleSink } from '../../../../engine/metric-history.ts';
import { Matcher } from '../../../../promql/matcher.ts';
import { budgetWith, finished } from '../../../../../tests/support/promql/finished.ts';
import { ExemplarList } from './exemplar-list.ts';
import { History, type HistorySeries } from './history.ts';

/** A list counts so many for each. */
const EXEMPLAR_BYTES = 320;
const ADDED = 120_000;
const HOUR_MS = 3_600_000;
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

function gauge(name: string, labels = ''): { name: string; labels: string; parts: typeof SINGLE } {
  return { name, labels, parts: SINGLE };
}

/** Writes each value of a series in turn; undefined for none. */
async function record(history: History, values: readonly (number | undefined)[], startMs = 0): Promise<void> {
  for (const [moment, value] of values.entries()) {
    await history.record(startMs + moment * 1000, async (sink: SampleSink) => {
      if (value !== undefined) sink.write(sink.numberOf(gauge('level')), value);
    });
  }
}

function found(history: History, matcher: Matcher): readonly HistorySeries[] {
  return finished(history.select([matcher], ALL, budgetWith())).value;
}

function samplesOf(history: History, name = 'level'): (number | undefined)[] {
  const [stored] = found(history, new Matcher('__name__', '=', name));
  if (stored === undefined) return [];
  const { values, ended } = stored.samples(ALL);
  return [...values].map((value, index) => (ended[index] === 1 ? undefined : value));
}

it('gives back every value, whatever it is, and where a series ended', async () => {
  const value = oneof(double(), integer(), nat(100), constantFrom(0, -0, NaN, Infinity, 2 ** 53, 0.1, 1e-310));
  const values = array(option(value, { nil: undefined, freq: 8 }), { minLength: 1, maxLength: 120 });
  await assert(
    asyncProperty(values, async (written) => {
      const history = new History({ retentionMs: HOUR_MS, maxBytes: 10 ** 8 });
      await record(history, written);
      // A series that is absent is so from its end on, and once.
      const expected = written.filter(
        (one, index) => one !== undefined || (index > 0 && written[index - 1] !== undefined),
      );
      expect(samplesOf(history)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

it('names the series of a histogram, and reads labels of any text', async () => {
  const history = new History({ retentionMs: HOUR_MS, maxBytes: 10 ** 8 });
  const parts = [
    { suffix: '_bucket', label: 'le="+Inf"' },
    { suffix: '_sum', label: '' },
    { suffix: '_count', label: '' },
  ] as const;
  const labels = String.raw`a="quote \" slash \\ line \n, b=\"c\"","with.dot"="ü"`;
  await history.record(0, async (sink) => {
    const number = sink.numberOf({ name: 'time', labels, parts });
    for (const [index, value] of [3, 4.5, 3].entries()) sink.write(number + index, value);
  });
  const labelsFound = found(history, new Matcher('a', '=~', '(?s).*"c".*')).map((stored) =>
    Object.fromEntries(stored.labels),
  );
  const common = { a: 'quote " slash \\ line \n, b="c"', 'with.dot': 'ü' };
  expect(labelsFound).toEqual([
    { __name__: 'time_bucket', le: '+Inf', ...common },
    { __name__: 'time_count', ...common },
    { __name__: 'time_sum', ...common },
  ]);
  expect(samplesOf(history, 'time_sum')).toEqual([4.5]);
});

it('forgets samples that are too old, and then their series', async () => {
  const history = new History({ retentionMs: 100_000, maxBytes: 10 ** 8 });
  await record(history, [7, 7, 7]);
  expect(history.series).toBe(1);
  for (let second = 3; second < 300; second++) {
    await history.record(second * 1000, async (sink) => sink.write(sink.numberOf(gauge('other')), second));
  }
  expect(samplesOf(history)).toEqual([]);
  expect(history.series).toBe(1);
  const { fromMs, toMs } = history.time!;
  expect(toMs).toBe(299_000);
  expect(toMs - fromMs).toBeGreaterThanOrEqual(100_000);
  expect(toMs - fromMs).toBeLessThan(170_000);
});

it('gives numbers of ended series to others without mixing their samples', async () => {
  const history = new History({ retentionMs: 40_000, maxBytes: 10 ** 8 });
  for (let second = 0; second < 2000; second++) {
    await history.record(second * 1000, async (sink) => {
      const group = gauge('pod', `name="${Math.floor(second / 50)}"`);
      sink.write(sink.numberOf(group), Math.floor(second / 50));
    });
  }
  const pods = found(history, new Matcher('__name__', '=', 'pod'));
  expect(pods.length).toBeGreaterThan(1);
  expect(pods.length).toBeLessThan(5);
  for (const stored of pods) {
    const { values, ended } = stored.samples(ALL);
    const own = Number(stored.labels.get('name'));
    expect(new Set([...values].filter((_, index) => ended[index] === 0))).toEqual(new Set([own]));
  }
});

it('keeps each exemplar of a series once, and none for the series that gets its number', async () => {
  const history = new History({ retentionMs: 40_000, maxBytes: 10 ** 8 });
  const exemplarsOf = (pod: string): readonly unknown[] =>
    found(history, new Matcher('name', '=', pod))[0]?.exemplars(ALL) ?? [];
  const timed = { value: 2, timeNs: 1_500_000_000n, traceId: 'a1', spanId: 'b1' };
  const untimed = { value: 3, timeNs: 0n, traceId: 'a2', spanId: '' };
  for (let second = 0; second < 2000; second++) {
    await history.record(second * 1000, async (sink) => {
      const number = sink.numberOf(gauge('pod', `name="${Math.floor(second / 50)}"`));
      sink.write(number, 1);
      if (second === 1 || second === 2) sink.writeExemplar(number, timed);
      if (second === 3) sink.writeExemplar(number, untimed);
    });
    if (second === 4) {
      expect(exemplarsOf('0')).toEqual([
        { value: 2, timeMs: 1500, traceId: 'a1', spanId: 'b1' },
        { value: 3, timeMs: 3000, traceId: 'a2', spanId: '' },
      ]);
    }
  }
  for (let pod = 0; pod < 40; pod++) expect(exemplarsOf(String(pod))).toEqual([]);
});

it('removes the oldest exemplars when they take too much', async () => {
  const history = new History({ retentionMs: HOUR_MS, maxBytes: 2 ** 20 });
  await history.record(1000, async (sink) => {
    for (let index = 0; index < 10_000; index++) {
      const number = sink.numberOf(gauge('level', `room="${index % 3}"`));
      sink.writeExemplar(number, { value: index, timeNs: 0n, traceId: 'a1', spanId: '' });
      sink.write(number, index);
    }
  });
  const values = found(history, new Matcher('__name__', '=', 'level'))
    .flatMap((one) => one.exemplars(ALL).map(({ value }) => value))
    .toSorted((a, b) => a - b);
  expect(values.length).toBeGreaterThan(100);
  expect(values).toEqual(Array.from({ length: values.length }, (_, index) => 10_000 - values.length + index));
  expect(history.sizeBytes).toBeLessThanOrEqual(2 ** 20);
});

/** The CPU time of adding one to a list that has no room left. */
function addingUs(exemplars: number): number {
  const list = new ExemplarList(exemplars * EXEMPLAR_BYTES);
  const add = (index: number): void => {
    list.add(index % 1000, { value: index, timeNs: 0n, traceId: 'a1', spanId: '' }, index);
  };
  for (let index = 0; index < exemplars; index++) add(index);
  const began = process.threadCpuUsage().user;
  for (let index = 0; index < ADDED; index++) add(index);
  return (process.threadCpuUsage().user - began) / ADDED;
}

it('removes exemplars of a long list as fast as those of a short one', () => {
  addingUs(1000);
  expect(addingUs(100_000)).toBeLessThan(7 * addingUs(1000));
});

it('stays within its bytes: old samples go first, then new series are left out and counted', async () => {
  const maxBytes = 2 ** 20;
  const history = new History({ retentionMs: HOUR_MS, maxBytes });
  for (let moment = 0; moment < 400; moment++) {
    await history.record(moment * 1000, async (sink) => {
      for (let index = 0; index < 500; index++)
        sink.write(sink.numberOf(gauge('noise', `i="${index}"`)), Math.random());
    });
  }
  expect(history.sizeBytes).toBeLessThanOrEqual(maxBytes);
  expect(history.time!.fromMs).toBeGreaterThan(0);
  let refused = 0;
  await history.record(400_000, async (sink) => {
    for (let index = 0; index < 5000; index++) if (sink.numberOf(gauge('more', `i="${index}"`)) === NO_ROOM) refused++;
    expect(sink.hasRoom).toBe(false);
  });
  expect(refused).toBeGreaterThan(1000);
  expect(history.leftOut).toBe(refused);
});
