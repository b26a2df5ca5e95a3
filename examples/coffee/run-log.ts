import type { RunReport } from './pipeline/run-report.ts';

const maxKept = 1000;

export type Tally = Readonly<Record<RunReport['status'], number>>;

/** The runs that the pipeline has told of: the latest in full, all of them as numbers. */
export class RunLog {
  readonly #latest: RunReport[] = [];
  readonly #tallies = new Map<string, Tally>();

  add(run: RunReport): void {
    this.#latest.push(run);
    if (this.#latest.length > maxKept) this.#latest.shift();
    const tally = this.#tallies.get(run.source) ?? { ok: 0, partial: 0, fail: 0 };
    this.#tallies.set(run.source, { ...tally, [run.status]: tally[run.status] + 1 });
  }

  /** The latest last; old ones are forgotten. */
  get latest(): readonly RunReport[] {
    return this.#latest;
  }

  /** How many ended how, by source. */
  get tallies(): ReadonlyMap<string, Tally> {
    return this.#tallies;
  }

  /** The latest run that had an error, with that error. */
  get lastError(): { readonly message: string; readonly run: RunReport } | undefined {
    const run = this.#latest.findLast(({ errors }) => errors.length > 0);
    return run && { message: run.errors.at(-1)!, run };
  }
}
