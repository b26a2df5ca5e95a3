import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CounterMetric, HistogramMetric } from '../../../../metrics/metric.ts';
import { MemoryStorage } from '../../../../engine/memory-storage.ts';
import { StorageError, type StorageSpace } from '../../../../engine/storage.ts';
import { Counter } from './counter.ts';
import { boundByColumn, type CounterQuery } from '../query.ts';
import { logLines } from '../../../../../tests/support/components/log-lines.ts';
import { ModelTable, type Sight } from '../../../../../tests/support/postgres/model-table.ts';

const labels = { label: { maxValues: 10, description: '' } };
const described = { unit: '', description: '', labels, source: 'poller' } as const;
const counted: CounterMetric = { kind: 'counter', name: 'counted', ...described };
const ended: CounterMetric = { kind: 'counter', name: 'ended', ...described };
const sized: HistogramMetric = { kind: 'histogram', name: 'sized', buckets: [0.5, 1], ...described };

const MARGIN_MS = 1000;
const RECONCILE_MS = 5000;
/** A reading that moves the bound. */
const SLOW_MS = 200;

const query: CounterQuery = {
  needs: {},
  table: 't',
  key: ['id'],
  columns: [],
  batchRows: 4,
  bound: boundByColumn('time', MARGIN_MS),
  details: () => ({ select: '', joins: '' }),
  metrics: [{ metric: counted }, { metric: sized, value: 'size' }],
  meaning: '1',
};
const keyedQuery: CounterQuery = {
  ...query,
  events: { created: 'true', ended: 'ended' },
  everyRow: 'created',
  metrics: [
    { metric: counted, event: 'created' },
    { metric: ended, event: 'ended' },
    { metric: sized, event: 'ended', value: 'size' },
  ],
};

/** Something that happens, and how a counterexample names it. */
interface Step {
  readonly name: string;
  readonly isPoll: boolean;
  readonly run: (world: World) => void | Promise<void>;
}

function step<T>(
  name: string,
  given: fc.Arbitrary<T>,
  run: (world: World, given: T) => void | Promise<void>,
): fc.Arbitrary<Step> {
  return given.map((values) => ({
    name: `${name} ${fc.stringify(values)}`,
    isPoll: name === 'poll',
    run: async (world) => await run(world, values),
  }));
}

const none = fc.constant(undefined);
const age = fc.oneof(none, fc.integer({ min: -500, max: 500 }), fc.integer({ min: 900, max: 9000 }));
const rows = fc.record({
  transaction: fc.nat(),
  count: fc.integer({ min: 1, max: 9 }),
  age,
  events: fc.constantFrom(1, 3),
  label: fc.constantFrom('x', 'y'),
  isSaved: fc.boolean(),
});
const happenings = [
  { weight: 4, arbitrary: step('begin', none, ({ table }) => void table.begin()) },
  { weight: 10, arbitrary: step('insert', rows, (world, given) => world.insert(given)) },
  {
    weight: 6,
    arbitrary: step(
      'update',
      fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(0, 2)),
      (world, [transaction, row, events]) => world.update(transaction, row, events),
    ),
  },
  {
    weight: 6,
    arbitrary: step('end', fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 })), (world, [transaction, commits]) =>
      world.end(transaction, commits > 0 ? 'committed' : 'rolled_back'),
    ),
  },
  { weight: 2, arbitrary: step('flush', fc.boolean(), ({ table }, isFlushed) => void (table.isFlushed = isFlushed)) },
  {
    weight: 2,
    arbitrary: step('slow', fc.boolean(), ({ table }, isSlow) => void (table.readingMs = isSlow ? SLOW_MS : 0)),
  },
  { weight: 1, arbitrary: step('kill', none, (world) => void world.start()) },
  {
    weight: 1,
    arbitrary: step('fail', fc.constantFrom(0, 1, 2, 3, 'full', 'killed'), async (world, what) => {
      if (typeof what === 'number') world.table.failsAfter = what;
      else world.storage.failsNext = what;
      await world.poll();
      world.table.failsAfter = Infinity;
    }),
  },
];
/** Before somebody counts; a poll that fails may have begun. */
const past = fc.array(fc.oneof(...happenings), { maxLength: 40 });
const steps = fc.oneof(
  ...happenings,
  {
    weight: 8,
    arbitrary: step('poll', fc.integer({ min: 0, max: 2000 }), async (world, passesMs) => {
      world.table.nowMs += passesMs;
      await world.poll();
    }),
  },
  { weight: 1, arbitrary: step('restore', fc.nat(), ({ table }, transactions) => table.restore(transactions)) },
);

const realNow = performance.now.bind(performance);
afterEach(() => vi.restoreAllMocks());

/** A table, a storage that may fail, and a counter that may die and come back. */
class World {
  readonly table = new ModelTable();
  readonly storage = new FailingSpace(() => (this.#baseline = this.table.latestReading));
  readonly anew: string[] = [];
  readonly #query: CounterQuery;
  #counter: Counter;
  #baseline: Sight | undefined;

  constructor(of: CounterQuery) {
    this.#query = of;
    const { table } = this;
    vi.spyOn(performance, 'now').mockImplementation(() => realNow() + table.readMs);
    this.#counter = this.start();
  }

  start(): Counter {
    this.#counter = new Counter({
      query: this.#query,
      name: 'q',
      table: this.table,
      space: this.storage,
      maxKeys: Infinity,
      timeoutMs: 1,
      longTimeoutMs: 1,
      reconcileMs: RECONCILE_MS,
      logger: logLines().logger,
      onRebaseline: (reason) => this.anew.push(reason),
    });
    return this.#counter;
  }

  get counter(): Counter {
    return this.#counter;
  }

  /** The rows that existed when counting last started; undefined before. */
  get baseline(): Sight | undefined {
    return this.#baseline;
  }

  /** The expected totals, keyed by metric and label. */
  get truth(): Record<string, number> {
    return this.#baseline ? eventsSince(this.#baseline, this.table, this.#query) : {};
  }

  /** Keyed by metric and label. */
  get totals(): Record<string, number> {
    const series = [...(this.#counter.state?.totals.series.values() ?? [])];
    return Object.fromEntries(
      series.map(({ metric, attributes, count }) => [`${metric} ${attributes['label']}`, count]),
    );
  }

  async poll(): Promise<void> {
    try {
      await this.#counter.countRecent();
      if (this.#counter.isSweeping) await this.#counter.countSwept();
      else if (this.#counter.isReconcileDue) await this.#counter.countOlder();
    } catch (error) {
      if (String(error).includes('killed')) this.start();
    }
  }

  insert({ transaction, count, age: ageMs, ...row }: typeof rows extends fc.Arbitrary<infer T> ? T : never): void {
    const owner = this.#open(transaction);
    const timeMs = ageMs === undefined ? undefined : this.table.nowMs - ageMs;
    if (owner !== undefined) for (let i = 0; i < count; i++) this.table.insert(owner, { ...row, timeMs });
  }

  /** Only tables with keyed events may be updated. */
  update(transaction: number, row: number, events: number): void {
    const owner = this.#open(transaction);
    if (owner !== undefined && this.#query.events) this.table.update(owner, row, events);
  }

  end(transaction: number, outcome: 'committed' | 'rolled_back'): void {
    const xid = this.#open(transaction);
    if (xid !== undefined) this.table.end(xid, outcome);
  }

  /** Ends every transaction and polls until nothing is left. */
  async settle(): Promise<void> {
    for (const xid of this.table.open) this.table.end(xid, 'committed');
    for (let i = 0; i < 200; i++) {
      this.table.nowMs += RECONCILE_MS;
      await this.poll();
    }
  }

  #open(choice: number): number | undefined {
    const { open } = this.table;
    return open[choice % Math.max(1, open.length)];
  }
}

class FailingSpace implements StorageSpace {
  failsNext: string | undefined;
  readonly #onBegun: () => void;
  #hasState = false;
  readonly #space = new MemoryStorage().space({ kind: 'receiver', id: 'r' });

  /** @param onBegun where there was no state, one is kept. */
  constructor(onBegun: () => void) {
    this.#onBegun = onBegun;
  }

  async get(keys: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return await (await this.#space).get(keys);
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    const fails = this.failsNext;
    this.failsNext = undefined;
    if (fails === 'full') throw new StorageError('full', 'no room');
    await (await this.#space).write(changes);
    const hadState = this.#hasState;
    if (changes.has('state/q')) this.#hasState = changes.get('state/q') !== undefined;
    if (this.#hasState && !hadState) this.#onBegun();
    if (fails !== undefined) throw new Error('killed');
  }

  async clear(prefix: string): Promise<void> {
    await (await this.#space).clear(prefix);
  }
}

describe('counting each row once', () => {
  it.each([
    ['only inserted, with a bound', query],
    ['only inserted, without a bound', { ...query, bound: undefined }],
    ['updated, with a bound', keyedQuery],
    ['updated, without a bound', { ...keyedQuery, bound: undefined }],
  ] as [string, CounterQuery][])(
    'holds for rows that are %s, for any existing rows, commit times and crashes',
    async (_, of) => {
      await fc.assert(
        fc.asyncProperty(past, fc.array(steps, { minLength: 20, maxLength: 120 }), async (before, taken) => {
          const world = new World(of);
          for (const { run } of before) await run(world);
          await world.poll();
          for (const { run } of taken) await run(world);
          await world.settle();
          expect(world.totals).toEqual(world.truth);
          expect(world.anew.filter((reason) => reason !== 'identity')).toEqual([]);
        }),
        { numRuns: Number(process.env['SIPHON_PROPERTY_RUNS'] ?? 60) },
      );
    },
  );

  it('remembers rows that are updated while the existing rows are read, in steps that fail and continue', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 2), fc.boolean()), { maxLength: 6 }), async (updates) => {
        const world = new World(keyedQuery);
        const existing = { transaction: 0, count: 150, age: 0, events: 1, label: 'x', isSaved: false } as const;
        world.table.begin();
        world.insert(existing);
        world.end(0, 'committed');
        for (const [row, events, isKilled] of updates) {
          world.table.failsAfter = 2;
          await world.poll();
          if (world.counter.state) break;
          if (isKilled) world.start();
          world.table.begin();
          for (let i = 0; i < 20; i++) world.update(0, row + i, events);
          world.end(0, 'committed');
        }
        world.table.failsAfter = Infinity;
        await world.poll();
        world.table.begin();
        world.insert({ ...existing, count: 5 });
        for (let i = 0; i < 150; i++) world.update(0, i, 0);
        await world.settle();
        expect(world.totals).toEqual(world.truth);
      }),
      { numRuns: 5 },
    ); // prettier-ignore
  });

  it('never shows more than has happened, nor takes back what it has shown', async () => {
    await fc.assert(
      fc.asyncProperty(past, fc.array(steps, { minLength: 20, maxLength: 80 }), async (before, taken) => {
        const world = new World(keyedQuery);
        for (const { run } of before) await run(world);
        await world.poll();
        let { baseline } = world;
        let shown: Record<string, number> = {};
        for (const { run, isPoll } of taken) {
          await run(world);
          if (!isPoll) continue;
          if (world.baseline !== baseline) shown = {};
          ({ baseline } = world);
          const now = world.totals;
          const most = world.truth;
          for (const [series, count] of Object.entries(now)) expect(count).toBeLessThanOrEqual(most[series] ?? 0);
          if (world.counter.state) {
            for (const [series, count] of Object.entries(shown)) expect(now[series]).toBeGreaterThanOrEqual(count);
            shown = now;
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

/**
 * Rows that can be updated: the events that did not hold when counting began. Others: the rows of transactions that had
 * not all ended before those that were open then.
 */
function eventsSince(baseline: Sight, table: ModelTable, { events }: CounterQuery): Record<string, number> {
  const known = new Map(baseline.visible.map(({ key, events: held }) => [key, held]));
  const totals: Record<string, number> = {};
  const add = (metric: string, label: string): void => {
    totals[`${metric} ${label}`] = (totals[`${metric} ${label}`] ?? 0) + 1;
  };
  for (const { key, xid, label, events: held } of table.committed()) {
    const isNew = events ? !known.has(key) : xid >= baseline.settledXid;
    if (isNew) add('counted', label);
    const hasEnded = events ? (held & ~(known.get(key) ?? 0) & 2) !== 0 : isNew;
    if (hasEnded) for (const metric of events ? ['ended', 'sized'] : ['sized']) add(metric, label);
  }
  return totals;
}
