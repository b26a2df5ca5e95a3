import { setTimeout as sleep } from 'node:timers/promises';
import { runSql } from '../support/postgres/test-postgres.ts';
import { Ledger } from './ledger.ts';
import type { Source } from './operations.ts';
import { Random } from './random.ts';
import { Writer } from './writer.ts';

const SHARED_ROASTERS = 5;
const WAIT_MS = 20;

export interface CrowdSettings {
  readonly url: string;
  readonly writers: number;
  /** Rows that are written at least, spread over the time. */
  readonly rows: number;
  readonly durationMs: number;
  readonly seed: number;
}

interface Share {
  readonly source: Source;
  readonly openRunIds: readonly string[];
}

/** Many concurrent writers, and their ledger. */
export class ScraperCrowd {
  readonly ledger = new Ledger();
  readonly #settings: CrowdSettings;
  readonly #writers: readonly Writer[];
  /** Time that was spent writing in earlier phases. */
  #writtenMs = 0;
  #phaseStartedAt = 0;

  /** Shares the roasters of the database among the writers. */
  static async gather(settings: CrowdSettings): Promise<ScraperCrowd> {
    const rows = await runSql(
      settings.url,
      `select s.id, r.id as roaster, r.slug, r.platform, array_remove(array_agg(run.id), null) as runs
       from product_sources s join roasters r on r.id = s.roaster_id
       left join scrape_runs run on run.source_id = s.id and run.status is null
       group by s.id, r.id order by count(run.id) desc, r.slug limit ${SHARED_ROASTERS}`,
    );
    const shares = rows.map(({ id, roaster, slug, platform, runs }) => ({
      source: {
        id: String(id),
        roasterId: String(roaster),
        labels: { roaster: String(slug), platform: String(platform) },
      },
      openRunIds: runs as string[],
    }));
    return new ScraperCrowd(settings, shares);
  }

  private constructor(settings: CrowdSettings, shares: readonly Share[]) {
    this.#settings = settings;
    this.#writers = Array.from({ length: settings.writers }, (_, index) => {
      const share = shares[index % shares.length];
      if (share === undefined) throw new Error('no roasters to write for');
      const { source, openRunIds } = share;
      // Runs that were running before: no two writers share one.
      const openRuns = index < shares.length ? openRunIds.map((id) => ({ id, labels: source.labels, phase: 0 })) : [];
      return new Writer({
        url: settings.url,
        own: { source, coffees: [], variants: [], openRuns, finishedRuns: [] },
        ledger: this.ledger,
        random: new Random(settings.seed + index),
        isBehind: () => this.ledger.rows < this.#dueRows,
      });
    });
  }

  /** Lost answers of commits that were asked for afterwards. */
  get lookedUp(): number {
    return this.#writers.reduce((sum, { lookedUp }) => sum + lookedUp, 0);
  }

  /** Writes for this share of the whole time, and as many rows as belong to it. Ends between transactions. */
  async write(phase: number, share: number, signal: AbortSignal): Promise<void> {
    this.#phaseStartedAt = performance.now();
    const endMs = this.#writtenMs + share * this.#settings.durationMs;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const writing = Promise.all(this.#writers.map((writer) => writer.run(phase, either)));
    const done = async (): Promise<void> => {
      while (!either.aborted && (this.#elapsedMs < endMs || this.ledger.rows < this.#dueRows)) await sleep(WAIT_MS);
    };
    try {
      await Promise.race([done(), writing]);
    } finally {
      over.abort();
      await writing;
      this.#writtenMs = this.#elapsedMs;
      this.#phaseStartedAt = 0;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.close()));
  }

  get #elapsedMs(): number {
    return this.#writtenMs + (this.#phaseStartedAt === 0 ? 0 : performance.now() - this.#phaseStartedAt);
  }

  get #dueRows(): number {
    const { rows, durationMs } = this.#settings;
    return Math.min(rows, (rows * this.#elapsedMs) / durationMs);
  }
}
