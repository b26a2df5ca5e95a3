import { array, assert, asyncProperty, constantFrom, double, integer, option } from 'fast-check';
import { expect, it, vi } from 'vitest';
import { budgetWith, finished } from '../../../../../tests/support/promql/finished.ts';
import { componentSettings } from '../../../../../tests/support/components/component-settings.ts';
import { MemoryStorage } from '../../../../engine/memory-storage.ts';
import { SINGLE } from '../../../../engine/metric-history.ts';
import { decodeStored, encodeStored } from '../../../../engine/stored-value.ts';
import { Matcher } from '../../../../promql/matcher.ts';
import { History, type HistoryLimits } from '../store/history.ts';
import { SavedSamples } from './saved-samples.ts';

const OWNER = { kind: 'extension', id: 'metrics_history', name: 'samples' };
const HOUR_MS = 3_600_000;
const LIMITS = { retentionMs: HOUR_MS, maxBytes: 10 ** 8 };
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const PARTS = [
  { suffix: '_bucket', label: 'le="+Inf"' },
  { suffix: '_sum', label: '' },
] as const;

/** A history as one process has it. It ends without a last save if `isKilled`. */
async function inProcess<T>(
  storage: MemoryStorage,
  run: (history: History) => Promise<T>,
  { limits = LIMITS, isKilled = false, name = 'samples' }: Partial<Process> = {},
): Promise<{ readonly result: T; readonly lines: readonly Record<string, unknown>[] }> {
  const { settings, lines } = componentSettings('extension', 'metrics_history');
  const history = new History(limits);
  const saved = new SavedSamples(async () => await storage.space(OWNER), {
    histories: new Map([[name, history]]),
    logger: settings.logger,
  });
  await saved.start();
  const result = await run(history);
  if (!isKilled) await saved.close();
  return { result, lines };
}

interface Process {
  readonly limits: HistoryLimits;
  readonly isKilled: boolean;
  readonly name: string;
}

type Values = Readonly<Record<string, number | undefined>>;

/** A value of each series at each second, the last of them now. */
async function record(history: History, moments: readonly Values[], endMs = Date.now()): Promise<void> {
  for (const [index, values] of moments.entries()) {
    await history.record(endMs - 1000 * (moments.length - 1 - index), async (sink) => {
      for (const [room, value] of Object.entries(values)) {
        const group = { name: 'level', labels: `room="${room}"`, parts: SINGLE };
        if (value !== undefined) sink.write(sink.numberOf(group), value);
      }
    });
  }
}

/** The samples of all series by their labels; undefined where one ended. */
function samplesOf(
  history: History,
): Readonly<Record<string, readonly (readonly [timeMs: number, number | undefined])[]>> {
  const found = finished(history.select([new Matcher('__name__', '=~', '.+')], ALL, budgetWith())).value;
  return Object.fromEntries(
    found.map((series) => {
      const { timesMs, values, ended } = series.samples(ALL);
      const all = [...timesMs].map(
        (timeMs, index) => [timeMs, ended[index] === 1 ? undefined : values[index]] as const,
      );
      return [JSON.stringify([...series.labels.values()]), all];
    }),
  );
}

/** The samples as a later process sees them: the same, and every series has ended. */
function endedAfter(samples: ReturnType<typeof samplesOf>, lastMs: number): ReturnType<typeof samplesOf> {
  return Object.fromEntries(
    Object.entries(samples).map(([series, all]) => {
      const isAlive = all.at(-1)?.[1] !== undefined;
      return [series, isAlive ? [...all, [lastMs + 1, undefined]] : all];
    }),
  );
}

it('gives back every sample of every series, and ends all of them', async () => {
  const value = option(constantFrom(0, -0, 1, 2 ** 53, NaN, Infinity), { nil: undefined, freq: 4 });
  const other = option(double(), { nil: undefined, freq: 4 });
  const moment = array(integer({ min: 0, max: 3 }), { maxLength: 3 });
  await assert(
    asyncProperty(array(moment, { minLength: 1, maxLength: 80 }), value, other, async (moments, first, second) => {
      const storage = new MemoryStorage();
      const endMs = Date.now();
      const values = moments.map((rooms) => Object.fromEntries(rooms.map((room) => [room, room > 1 ? first : second])));
      const written = await inProcess(storage, async (history) => {
        await record(history, values, endMs);
        return samplesOf(history);
      });
      const read = await inProcess(storage, async (history) => samplesOf(history));
      expect(read.result).toEqual(endedAfter(written.result, endMs));
      expect(read.lines).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

it('continues a series, with the same number of its parts, after several restarts', async () => {
  const storage = new MemoryStorage();
  const startMs = Date.now() - 60_000;
  for (let process = 0; process < 4; process++) {
    await inProcess(storage, async (history) => {
      for (let second = 0; second < 5; second++) {
        await history.record(startMs + process * 10_000 + second * 1000, async (sink) => {
          // Each process meets the series in another order.
          if (process % 2 === 1) sink.write(sink.numberOf({ name: 'other', labels: '', parts: SINGLE }), 7);
          const first = sink.numberOf({ name: 'time', labels: 'a="b"', parts: [...PARTS] });
          sink.write(first, process);
          sink.write(first + 1, process + 0.5);
        });
      }
    });
  }
  const { result } = await inProcess(storage, async (history) => samplesOf(history));
  const sums = result['["time_sum","b"]']!.map(([, one]) => one);
  expect(sums).toEqual([0, 1, 2, 3].flatMap((one) => [...Array.from({ length: 5 }, () => one + 0.5), undefined]));
});

it('saves each minute, so that a process that is killed loses no more', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const storage = new MemoryStorage();
    await inProcess(
      storage,
      async (history) => {
        await record(
          history,
          Array.from({ length: 70 }, (_, index) => ({ 1: index })),
        );
        await vi.advanceTimersByTimeAsync(60_000);
        const space = await storage.space(OWNER);
        await expect.poll(async () => (await space.get(['index'])).size).toBe(1);
        await record(history, [{ 1: 99 }], Date.now() + 1000);
      },
      { isKilled: true },
    );
    const { result } = await inProcess(storage, async (history) => samplesOf(history));
    expect(result['["level","1"]']!.map(([, one]) => one)).toEqual([
      ...Array.from({ length: 70 }, (_, i) => i),
      undefined,
    ]);
  } finally {
    vi.useRealTimers();
  }
});

it('leaves out what is too old for the new settings, then what has no room', async () => {
  const storage = new MemoryStorage();
  const noise = Array.from({ length: 320 }, () =>
    Object.fromEntries(Array.from({ length: 400 }, (_, room) => [room, Math.random()])),
  );
  await inProcess(storage, async (history) => await record(history, noise));
  const seen = async (limits: HistoryLimits): Promise<number> => {
    const copy = await inProcess(storage, async (history) => history, { limits, isKilled: true });
    expect(copy.result.sizeBytes).toBeLessThanOrEqual(limits.maxBytes);
    const { fromMs, toMs } = copy.result.time!;
    return (toMs - fromMs) / 1000;
  };
  expect(await seen(LIMITS)).toBeCloseTo(319, 0);
  const short = await seen({ ...LIMITS, retentionMs: 100_000 });
  expect(short).toBeGreaterThanOrEqual(99);
  expect(short).toBeLessThan(135);
  const small = await seen({ ...LIMITS, maxBytes: 2 ** 20 });
  expect(small).toBeGreaterThan(30);
  expect(small).toBeLessThan(319);
});

it('keeps as many parts as the history has segments', async () => {
  const storage = new MemoryStorage();
  const limits = { ...LIMITS, retentionMs: 60_000 };
  const startMs = Date.now() - 1_000_000;
  for (let process = 0; process < 5; process++) {
    await inProcess(
      storage,
      async (history) =>
        await record(
          history,
          Array.from({ length: 200 }, () => ({ 1: 1 })),
          startMs + process * 200_000,
        ),
      { limits },
    );
  }
  const space = await storage.space(OWNER);
  const keys = Array.from({ length: 100 }, (_, number) => `segment ${number} 0`);
  expect((await space.get(keys)).size).toBeLessThan(6);
});

it('begins without samples from the future, with one line', async () => {
  const storage = new MemoryStorage();
  await inProcess(storage, async (history) => await record(history, [{ 1: 1 }], Date.now() + HOUR_MS));
  const { result, lines } = await inProcess(storage, async (history) => samplesOf(history));
  expect(result).toEqual({});
  expect(lines).toMatchObject([
    { cause: 'the clock was set back to before them', msg: 'Some samples from before the restart are left out' },
  ]);
});

it('leaves out a damaged part, and only that one', async () => {
  const storage = new MemoryStorage();
  await inProcess(
    storage,
    async (history) =>
      await record(
        history,
        Array.from({ length: 96 }, (_, i) => ({ 1: i })),
      ),
  );
  const space = await storage.space(OWNER);
  const key = 'segment 1 0';
  const bytes = (await space.get([key])).get(key)!.slice();
  bytes[bytes.length - 1]! ^= 1;
  await space.write(new Map([[key, bytes]]));
  const { result, lines } = await inProcess(storage, async (history) => samplesOf(history));
  const values = result['["level","1"]']!.flatMap(([, one]) => one ?? []);
  expect(values).toEqual([...Array.from({ length: 32 }, (_, i) => i), ...Array.from({ length: 32 }, (_, i) => 64 + i)]);
  expect(lines).toMatchObject([{ parts: 1, cause: 'its bytes have changed' }]);
});

it.each([
  ['of another version', encodeStored({ format: 99 }), 'its format is 99, and this version reads 1'],
  ['that were changed', encodeStored({ format: 1 }).fill(0, 8, 9), 'its bytes have changed'],
])('begins again with samples %s, with one line', async (_, bytes, cause) => {
  const storage = new MemoryStorage();
  await inProcess(storage, async (history) => await record(history, [{ 1: 1 }]));
  const space = await storage.space(OWNER);
  await space.write(new Map([['index', bytes]]));
  const { result, lines } = await inProcess(storage, async (history) => {
    const restored = samplesOf(history);
    await record(history, [{ 2: 2 }]);
    return restored;
  });
  expect(result).toEqual({});
  expect(lines).toMatchObject([{ cause, msg: expect.stringContaining('the history begins again') as string }]);
  expect(await space.get(['segment 1 0'])).toEqual(new Map());
  const index = decodeStored((await space.get(['index'])).get('index')!);
  expect(index).toMatchObject({ format: 1 });
});

it('forgets a history that the settings do not have any more', async () => {
  const storage = new MemoryStorage();
  await inProcess(storage, async (history) => await record(history, [{ 1: 1 }]), { name: 'rules 60000' });
  await inProcess(storage, async (history) => await record(history, [{ 1: 1 }]));
  const { result } = await inProcess(storage, async (history) => samplesOf(history), { name: 'rules 60000' });
  expect(result).toEqual({});
});

it('reports once that samples cannot be saved', async () => {
  const storage = new MemoryStorage();
  const { lines } = await inProcess(storage, async (history) => {
    await record(history, [{ 1: 1 }]);
    storage.close();
  });
  expect(lines).toMatchObject([{ msg: 'Samples cannot be saved: a restart would begin without the latest ones' }]);
});
