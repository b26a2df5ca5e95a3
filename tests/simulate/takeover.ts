/** Several sidecars on one database, whose leader is killed again and again: does exactly one poll, and is nothing lost? */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectorProgram } from '../support/processes/collector-process.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { generateDataSet, shapeOf } from '../support/postgres/scraper-data-set.ts';
import { TcpProxy } from '../support/network/tcp-proxy.ts';
import { cutNetwork } from './disasters.ts';
import { FragileSidecar } from './fragile-sidecar.ts';
import type { Counts } from './ledger.ts';
import { differences, untilExact, type Difference } from './published.ts';
import { Random } from './random.ts';
import { PollingHistory } from './polling-history.ts';
import { ScraperCrowd } from './scraper-crowd.ts';

export interface TakeoverOptions {
  readonly program: CollectorProgram;
  readonly writers: number;
  readonly rows: number;
  readonly minutes: number;
  /** How often the leader is killed; half as often it is cut off. */
  readonly kills: number;
  readonly staysMs: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export interface TakeoverVerdict {
  readonly passed: boolean;
  readonly rows: number;
  readonly kills: number;
  readonly cuts: number;
  /** How often the next poll was another sidecar's; never more often than a leader was disturbed. */
  readonly changes: number;
  readonly polls: number;
  readonly longestWithoutPollMs: number;
  /** Keyed by sidecar, when it is the only one. */
  readonly differences: Readonly<Record<string, readonly Difference[]>>;
  readonly violations: readonly string[];
}

/** Who is there from the beginning; one more comes later. */
const FOUNDERS = ['first', 'second', 'third'];
const LATECOMER = 'latecomer';
const OLD_ROWS_SCALE = 0.005;
const CATCH_UP_MS = 120_000;
/** Two leases of three seconds, and a poll. */
const LONGEST_TAKEOVER_MS = 8000;

interface Candidate {
  readonly name: string;
  readonly sidecar: FragileSidecar;
  readonly proxy: TcpProxy;
  /** The rows that others wrote before it started. */
  readonly before: Counts;
}

export async function simulateTakeover(options: TakeoverOptions): Promise<TakeoverVerdict> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await startTestPostgres());
  // See deploy/postgres/role.md: three for each sidecar, and one.
  const limit = 3 * (FOUNDERS.length + 1) + 1;
  await database.sql(`alter role "${database.pollerRole}" connection limit ${limit}`);
  await generateDataSet(database.url, shapeOf(OLD_ROWS_SCALE), () => undefined);
  const durationMs = options.minutes * 60_000;
  const crowd = await ScraperCrowd.gather({ url: database.url, durationMs, ...options });
  stack.defer(() => crowd.close());
  const join = async (name: string): Promise<Candidate> => {
    const { hostname, port } = new URL(database.url);
    const proxy = stack.use(await TcpProxy.start({ host: hostname, port: Number(port) }));
    const databaseUrl = Object.assign(new URL(database.pollerUrl), { host: `127.0.0.1:${proxy.port}` }).href;
    const sidecar = stack.use(await FragileSidecar.launch({ program: options.program, databaseUrl }));
    return { name, sidecar, proxy, before: new Map(crowd.ledger.counts) };
  };
  return await new Takeover(options, crowd).run(join);
}

class Takeover {
  readonly #options: TakeoverOptions;
  readonly #crowd: ScraperCrowd;
  readonly #random: Random;
  readonly #pollingHistory = new PollingHistory();
  readonly #candidates: Candidate[] = [];
  #kills = 0;
  #cuts = 0;

  constructor(options: TakeoverOptions, crowd: ScraperCrowd) {
    this.#options = options;
    this.#crowd = crowd;
    this.#random = new Random(options.seed ^ 0x5eed);
  }

  async run(join: (name: string) => Promise<Candidate>): Promise<TakeoverVerdict> {
    const over = new AbortController();
    for (const name of FOUNDERS) this.#candidates.push(await join(name));
    await this.#settled();
    const watching = this.#watch(over.signal);
    await this.#write(1);
    this.#candidates.push(await join(LATECOMER));
    await this.#settled();
    await this.#write(2);
    over.abort();
    await watching;
    return await this.#verdict();
  }

  /** One sidecar leads, and all remember the existing rows. */
  async #settled(): Promise<void> {
    await this.#nextLeader();
    for (const { sidecar } of this.#candidates) await sidecar.hasBegun();
  }

  async #write(phase: number): Promise<void> {
    const { progress, minutes, kills } = this.#options;
    progress(`phase ${phase} of 2`);
    // One phase for the writers: the uncounted rows of the standbys are unknown, so no outcome may change.
    const writing = this.#crowd.write(1, 0.5, new AbortController().signal);
    const pauseMs = (minutes * 30_000) / (kills * 0.75);
    for (let turn = 0; turn < Math.ceil(kills / 2); turn++) {
      await this.#disturb(turn % 2 === 1);
      await Promise.race([sleep(pauseMs * (0.5 + this.#random.next())), writing]);
    }
    await writing;
    progress(`phase ${phase} of 2: ${this.#crowd.ledger.rows} rows, ${this.#kills} kills, ${this.#cuts} cuts`);
  }

  async #disturb(alsoCut: boolean): Promise<void> {
    const { progress } = this.#options;
    for (const isCut of alsoCut ? [false, true] : [false]) {
      const leader = await this.#nextLeader();
      progress(`${leader.name} leads, and is ${isCut ? 'cut off' : 'killed'}`);
      if (isCut) {
        this.#cuts++;
        await cutNetwork(leader.proxy, this.#random).happen();
      } else {
        this.#kills++;
        await leader.sidecar.killAndRestart(this.#random.between(0, 4000));
      }
    }
  }

  async #nextLeader(): Promise<Candidate> {
    for (;;) {
      const leader = await this.#leader();
      if (leader) return leader;
      await sleep(100);
    }
  }

  async #leader(): Promise<Candidate | undefined> {
    for (const candidate of this.#candidates) {
      if ((await candidate.sidecar.own('siphon_db_poller_leader{')) === 1) return candidate;
    }
    return undefined;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(
        this.#candidates.map(async ({ name, sidecar }) => {
          this.#pollingHistory.seen(name, await sidecar.successes('scrape_pipeline.prices'));
        }),
      );
      await sleep(50);
    }
  }

  async #verdict(): Promise<TakeoverVerdict> {
    const found: Record<string, readonly Difference[]> = {};
    await Promise.all(this.#candidates.map(({ sidecar }) => sidecar.kill()));
    for (const { name, sidecar, before } of this.#candidates) {
      await sidecar.restart();
      const truth = difference(this.#crowd.ledger.counts, before);
      const { staysMs, progress } = this.#options;
      found[name] = await untilExact(() => differences(sidecar.page?.counts ?? new Map(), truth), {
        staysMs,
        timeoutMs: CATCH_UP_MS,
      });
      if (found[name].length > 0) progress(`the end of the log of ${name}:\n${sidecar.logTail}`);
      progress(`${name} alone: ${found[name].length === 0 ? 'every number is true' : 'NOT EXACT'}`);
      await sidecar.kill();
    }
    const violations = this.#candidates.flatMap(({ name, sidecar }) =>
      sidecar.watch.violations.map((violation) => `${name}: ${violation}`),
    );
    const { changes, polls, longestGapMs } = this.#pollingHistory;
    const isTrue = Object.values(found).every((one) => one.length === 0);
    const isOnlyOne = changes <= this.#kills + this.#cuts && longestGapMs <= LONGEST_TAKEOVER_MS;
    return {
      passed: isTrue && isOnlyOne && violations.length === 0,
      rows: this.#crowd.ledger.rows,
      kills: this.#kills,
      cuts: this.#cuts,
      changes,
      polls,
      longestWithoutPollMs: longestGapMs,
      differences: found,
      violations,
    };
  }
}

function difference(counts: Counts, before: Counts): Counts {
  return new Map([...counts].map(([series, value]) => [series, value - (before.get(series) ?? 0)]));
}
