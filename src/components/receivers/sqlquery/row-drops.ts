import type { Logger } from 'pino';
import { Incident } from '../../../engine/incident.ts';
import { unlessProblem, type DropReason, type RowProblem, type UnlessProblem } from './row-metric.ts';

/** Counts the rows of a query that yield nothing, by reason, and logs one line per incident. */
export class RowDrops {
  readonly #record: (reason: DropReason) => void;
  readonly #incident: Incident;
  readonly #reportsNulls: boolean;
  #reported: RowProblem | undefined;

  constructor(
    record: (reason: DropReason) => void,
    options: { readonly logger: Logger; readonly yields: string; readonly reportsNulls: boolean },
  ) {
    this.#record = record;
    this.#reportsNulls = options.reportsNulls;
    this.#incident = new Incident(options.logger, {
      failing: `Some rows yield no ${options.yields}`,
      recovered: `All rows yield a ${options.yields} again`,
    });
  }

  readonly unlessProblem: UnlessProblem = unlessProblem((problem) => {
    this.#record(problem.reason);
    if (problem.reason !== 'null' || this.#reportsNulls) this.#reported ??= problem;
  });

  /** Call it at the end of each poll. */
  report(): void {
    if (this.#reported === undefined) this.#incident.succeeded();
    else this.#incident.failed(this.#reported);
    this.#reported = undefined;
  }
}
