/** Sixteen writers, everything that can happen to siphon and its database, and at the end: is each number the true one? */
import type { CollectorProgram } from '../support/processes/collector-process.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { generateDataSet, shapeOf } from '../support/postgres/scraper-data-set.ts';
import { TcpProxy } from '../support/network/tcp-proxy.ts';
import { cutNetwork, deleteAll, findDoomed, restart, spread, vacuum, type Disaster } from './disasters.ts';
import { FragileSidecar } from './fragile-sidecar.ts';
import { differences, untilExact, type Difference } from './published.ts';
import { Random } from './random.ts';
import { ScraperCrowd } from './scraper-crowd.ts';

export interface ExactnessOptions {
  readonly program: CollectorProgram;
  readonly writers: number;
  readonly rows: number;
  readonly minutes: number;
  readonly kills: number;
  readonly restarts: number;
  readonly cuts: number;
  /** After each of them, every number is compared; what was counted before may be deleted from then on. */
  readonly phases: number;
  /** How long numbers must stay true once they are. */
  readonly staysMs: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export interface ExactnessVerdict {
  readonly passed: boolean;
  readonly rows: number;
  readonly transactions: number;
  readonly rolledBack: number;
  readonly lookedUp: number;
  readonly kills: number;
  readonly deleted: number;
  readonly vacuums: number;
  readonly pages: number;
  readonly series: number;
  readonly rebaselines: number;
  /** The sum over all counters. */
  readonly lost: number;
  readonly double: number;
  readonly differences: readonly Difference[];
  readonly violations: readonly string[];
}

/** Existing rows before counting starts: about fifty thousand prices. */
const OLD_ROWS_SCALE = 0.005;
const CATCH_UP_MS = 90_000;

export async function simulateExactness(options: ExactnessOptions): Promise<ExactnessVerdict> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await startTestPostgres());
  await generateDataSet(database.url, shapeOf(OLD_ROWS_SCALE), () => undefined);
  const { hostname, port } = new URL(database.url);
  const proxy = stack.use(await TcpProxy.start({ host: hostname, port: Number(port) }));
  const proxied = Object.assign(new URL(database.pollerUrl), { host: `127.0.0.1:${proxy.port}` }).href;
  const sidecar = stack.use(await FragileSidecar.launch({ program: options.program, databaseUrl: proxied }));
  await sidecar.hasBegun();
  const durationMs = options.minutes * 60_000;
  const crowd = await ScraperCrowd.gather({ url: database.url, durationMs, ...options });
  stack.defer(() => crowd.close());
  const simulation = new Simulation(options, { database, proxy, sidecar, crowd });
  for (let phase = 1; phase <= options.phases; phase++) {
    await simulation.phase(phase);
    if (!simulation.isExact) break;
  }
  return await simulation.verdict();
}

interface Parts {
  readonly database: TestPostgres;
  readonly proxy: TcpProxy;
  readonly sidecar: FragileSidecar;
  readonly crowd: ScraperCrowd;
}

class Simulation {
  readonly #options: ExactnessOptions;
  readonly #parts: Parts;
  readonly #random: Random;
  #doomed: readonly string[] = [];
  #differences: readonly Difference[] = [];
  #deleted = 0;
  #vacuums = 0;
  #series = 0;

  constructor(options: ExactnessOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#random = new Random(options.seed ^ 0x5eed);
  }

  get isExact(): boolean {
    return this.#differences.length === 0 && this.#parts.sidecar.watch.violations.length === 0;
  }

  /** Writes and destroys, then waits until siphon has seen everything. */
  async phase(number: number): Promise<void> {
    const { crowd, database } = this.#parts;
    const { phases, progress } = this.#options;
    const over = new AbortController();
    const going = new AbortController();
    const around = Promise.all([
      vacuum(database.url, this.#random, over.signal),
      deleteAll(database.url, this.#doomed, over.signal),
      this.#destroy(number),
    ]);
    await Promise.race([crowd.write(number, 1 / phases, going.signal), around.then(() => forever())]).finally(() =>
      over.abort(),
    );
    const [vacuums, deleted] = await around;
    this.#vacuums += vacuums;
    this.#deleted += deleted;
    progress(`phase ${number} of ${phases}: ${crowd.ledger.rows} rows written, waiting for siphon`);
    await this.#compare();
    progress(`phase ${number} of ${phases}: ${this.isExact ? 'every number is true' : 'NOT EXACT'}`);
    if (this.isExact) this.#doomed = await findDoomed(database.url);
  }

  async verdict(): Promise<ExactnessVerdict> {
    const { crowd, sidecar } = this.#parts;
    const { rows, transactions, rolledBack } = crowd.ledger;
    const rebaselines = (await sidecar.own('siphon_db_poller_rebaselines{')) ?? 0;
    const ofCounters = this.#differences.filter(({ series }) => series.includes('_total{'));
    return {
      passed: this.isExact && rebaselines === 0 && rows >= this.#options.rows,
      rows,
      transactions,
      rolledBack,
      lookedUp: crowd.lookedUp,
      kills: sidecar.kills,
      deleted: this.#deleted,
      vacuums: this.#vacuums,
      pages: sidecar.watch.pages,
      series: this.#series,
      rebaselines,
      lost: sumOfPositive(ofCounters.map(({ published, truth }) => truth - published)),
      double: sumOfPositive(ofCounters.map(({ published, truth }) => published - truth)),
      differences: this.#differences,
      violations: sidecar.watch.violations,
    };
  }

  async #destroy(phase: number): Promise<void> {
    const { database, proxy, sidecar } = this.#parts;
    const { kills, restarts, cuts, minutes, phases, progress } = this.#options;
    const disasters = [
      ...copies(shareOf(kills, phase, phases), () => this.#kill(sidecar)),
      ...copies(shareOf(restarts, phase, phases), () => restart(database)),
      ...copies(shareOf(cuts, phase, phases), () => cutNetwork(proxy, this.#random)),
    ];
    const durationMs = (minutes * 60_000) / phases;
    await spread(disasters, { durationMs, random: this.#random, tell: progress });
  }

  /** It comes back immediately or after a while, and may be killed again before it is ready. */
  #kill(sidecar: FragileSidecar): Disaster {
    return {
      name: 'siphon is killed',
      happen: async () => {
        await sidecar.killAndRestart(this.#random.between(0, 1500));
      },
    };
  }

  async #compare(): Promise<void> {
    const { crowd, sidecar } = this.#parts;
    const { staysMs, progress } = this.#options;
    this.#differences = await untilExact(() => differences(sidecar.page?.counts ?? new Map(), crowd.ledger.counts), {
      staysMs,
      timeoutMs: CATCH_UP_MS,
    });
    this.#series = sidecar.page?.counts.size ?? 0;
    if (!this.isExact) progress(`the end of siphon's log:\n${sidecar.logTail}`);
  }
}

/** How many of so many belong to this phase; the first ones get what is left over. */
function shareOf(count: number, phase: number, phases: number): number {
  return Math.floor(count / phases) + (phase <= count % phases ? 1 : 0);
}

function sumOfPositive(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + Math.max(0, amount), 0);
}

function copies(count: number, make: () => Disaster): Disaster[] {
  return Array.from({ length: count }, make);
}

async function forever(): Promise<never> {
  return await new Promise(() => undefined);
}
