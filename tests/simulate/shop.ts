/** Tables whose partitions, children, sessions and servers change while siphon counts: is each number the true one? */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectorProgram } from '../support/processes/collector-process.ts';
import { TcpProxy } from '../support/network/tcp-proxy.ts';
import { startReplicatedPostgres } from '../support/postgres/standby.ts';
import { runSql } from '../support/postgres/test-postgres.ts';
import { waitFor } from '../support/wait-for.ts';
import { spread, type Disaster } from './disasters.ts';
import { FragileSidecar } from './fragile-sidecar.ts';
import type { Counts } from './ledger.ts';
import { differences, untilExact, type Difference } from './published.ts';
import { Random } from './random.ts';
import { ShopAttacks, target, type Attacked, type AttackName } from './shop-attacks.ts';
import { countShop, SHOP_COUNTERS, SHOP_QUERIES, SHOP_TABLES } from './shop-tables.ts';
import { ShopWriter } from './shop-writer.ts';

export interface ShopOptions {
  readonly program: CollectorProgram;
  readonly writers: number;
  readonly minutes: number;
  /** How often each attack happens, in all phases together. */
  readonly attacks: Readonly<Record<AttackName, number>>;
  /** After each of them every number is compared. A last one follows on the promoted standby. */
  readonly phases: number;
  /** How long numbers must stay true once they are. */
  readonly staysMs: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export interface ShopVerdict {
  readonly passed: boolean;
  /** Rows that had to count, in all queries together. */
  readonly rows: number;
  readonly kills: number;
  readonly pages: number;
  readonly lost: number;
  readonly double: number;
  /** Counters that started again without the promotion. */
  readonly rebaselines: number;
  /** Counters that started again because of it: each one, once. */
  readonly promoted: number;
  readonly differences: readonly Difference[];
  readonly violations: readonly string[];
}

const CATCH_UP_MS = 90_000;
/** The standby must find the log of the time before a crash. */
const PARAMETERS = {
  max_prepared_transactions: '100',
  wal_keep_size: '4GB',
  wal_retrieve_retry_interval: '200ms',
};
const POLLER = {
  packs: undefined,
  queries: SHOP_QUERIES,
  leader_election: { enabled: false },
};

export async function simulateShop(options: ShopOptions): Promise<ShopVerdict> {
  await using stack = new AsyncDisposableStack();
  const databases = stack.use(await startReplicatedPostgres(PARAMETERS));
  await runSql(databases.primaryUrl, SHOP_TABLES);
  await databases.replayed();
  const proxy = stack.use(await TcpProxy.start(target(databases.primaryUrl)));
  const databaseUrl = Object.assign(new URL(databases.primaryUrl), { host: `127.0.0.1:${proxy.port}` }).href;
  const { program } = options;
  const sidecar = stack.use(
    await FragileSidecar.launch({ program, databaseUrl, poller: POLLER, counted: SHOP_COUNTERS }),
  );
  await sidecar.hasBegun();
  const simulation = new Simulation(options, { databases, proxy, sidecar, random: new Random(options.seed) });
  return await simulation.run();
}

class Simulation {
  readonly #options: ShopOptions;
  readonly #parts: Attacked;
  readonly #attacks: ShopAttacks;
  #before: Counts = new Map();
  #differences: readonly Difference[] = [];
  #rows = 0;
  readonly #violations: string[] = [];
  #pages = 0;

  constructor(options: ShopOptions, parts: Attacked) {
    this.#options = options;
    this.#parts = parts;
    this.#attacks = new ShopAttacks(parts);
  }

  async run(): Promise<ShopVerdict> {
    const { databases, sidecar } = this.#parts;
    const { phases } = this.#options;
    this.#before = await countShop(databases.primaryUrl);
    let rebaselines = 0;
    for (let phase = 1; phase <= phases && this.#isExact && rebaselines === 0; phase++) {
      await this.#phase(`phase ${phase} of ${phases}`, databases.primaryUrl, this.#disasters(phase));
      rebaselines = await this.#startedAgain();
    }
    this.#lookBack();
    let promoted = 0;
    if (this.#isExact && rebaselines === 0) {
      await this.#promote();
      await this.#phase('the promoted standby', databases.standbyUrl, []);
      promoted = await this.#startedAgain();
      this.#lookBack();
    }
    return {
      passed: this.#isExact && rebaselines === 0 && promoted === SHOP_QUERIES.length,
      rows: this.#rows,
      kills: sidecar.kills,
      pages: this.#pages,
      lost: sum(this.#differences.map(({ published, truth }) => Math.max(0, truth - published))),
      double: sum(this.#differences.map(({ published, truth }) => Math.max(0, published - truth))),
      rebaselines,
      promoted,
      differences: this.#differences,
      violations: this.#violations,
    };
  }

  get #isExact(): boolean {
    return this.#differences.length === 0 && this.#violations.length === 0;
  }

  /** Restarts of counters in the running process. One before a kill is a violation of the pages. */
  async #startedAgain(): Promise<number> {
    return (await this.#parts.sidecar.own('siphon_db_poller_rebaselines{')) ?? 0;
  }

  #lookBack(): void {
    const { watch } = this.#parts.sidecar;
    this.#violations.push(...watch.violations);
    this.#pages += watch.pages;
  }

  async #phase(name: string, url: string, disasters: readonly Disaster[]): Promise<void> {
    const { minutes, phases, writers, seed, progress, staysMs } = this.#options;
    const { sidecar, random } = this.#parts;
    const over = new AbortController();
    const writing = Promise.all(
      Array.from({ length: writers }, (_, i) =>
        new ShopWriter(url, `${name.replaceAll(' ', '_')}_${i}`, new Random(seed * 1000 + i)).run(over.signal),
      ),
    );
    const durationMs = (minutes * 60_000) / (phases + 1);
    const attacking = Promise.all([spread(disasters, { durationMs, random, tell: progress }), sleep(durationMs)]);
    await Promise.race([attacking, writing.then(() => attacking)]).finally(() => over.abort());
    await writing;
    const truth = difference(await countShop(url), this.#before);
    progress(`${name}: ${sum([...truth.values()])} rows to count, waiting for siphon`);
    this.#differences = await untilExact(() => differences(sidecar.page?.counts ?? new Map(), truth), {
      staysMs,
      timeoutMs: CATCH_UP_MS,
    });
    this.#rows += sum([...truth.values()]);
    progress(`${name}: ${this.#isExact ? 'every number is true' : `NOT EXACT\n${sidecar.logTail}`}`);
  }

  /** The primary is gone, and its address leads to the standby. Each counter starts again, once and immediately. */
  async #promote(): Promise<void> {
    const { databases, proxy, sidecar } = this.#parts;
    this.#options.progress('the standby is promoted');
    await databases.replayed();
    await databases.stopPrimary();
    sidecar.watchAgain();
    await databases.promote();
    proxy.leadTo(target(databases.standbyUrl));
    await waitFor(async () => (await this.#startedAgain()) >= SHOP_QUERIES.length, {
      what: `the counters to start again\n${sidecar.logTail}`,
      timeoutMs: CATCH_UP_MS,
    });
    // A page from before may have been read until now.
    sidecar.watchAgain();
    this.#before = await countShop(databases.standbyUrl);
  }

  /** The disasters of one phase. The first phases have one more if they cannot be divided. */
  #disasters(phase: number): Disaster[] {
    const { attacks, phases } = this.#options;
    return Object.entries(attacks).flatMap(([name, count]) => {
      const times = Math.floor(count / phases) + (phase <= count % phases ? 1 : 0);
      return Array.from({ length: times }, () => ({ name, happen: this.#attacks[name as AttackName] }));
    });
  }
}

function difference(counts: Counts, before: Counts): Counts {
  return new Map([...counts].map(([series, value]) => [series, value - (before.get(series) ?? 0)]));
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
