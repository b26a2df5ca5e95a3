import type { RunReport } from './pipeline/run-report.ts';

const maxKept = 1000;

export type Tally = Readonly<Record<RunReport['status'], number>>;

/** The runs that the pipeline has reported: the latest in full, all of them as totals. */
export class RunLog {
  readonly #latest: RunReport[] = [];
  readonly #tallies = new Map<string, Tally>();

  add(run: RunReport): void {
    this.#latest.push(run);
    if (this.#latest.length > maxKept) this.#latest.shift();
    const tally = this.#tallies.get(run.source) ?? { ok: 0, partial: 0, fail: 0 };
    this.#tallies.set(run.source, { ...tally, [run.status]: tally[run.status] + 1 });
  }

  /** Sorted by time; limited to the latest runs. */
  get latest(): readonly RunReport[] {
    return this.#latest;
  }

  /** The number of runs by source and status. */
  get tallies(): ReadonlyMap<string, Tally> {
    return this.#tallies;
  }

  /** The latest run with an error, and its last error. */
  get lastError(): { readonly message: string; readonly run: RunReport } | undefined {
    const run = this.#latest.findLast(({ errors }) => errors.length > 0);
    return run && { message: run.errors.at(-1)!, run };
  }
}
