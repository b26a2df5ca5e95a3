import type { Logger } from 'pino';
import { Incident } from '../../../engine/incident.ts';
import { unlessProblem, type DropReason, type RowProblem, type UnlessProblem } from './row-metric.ts';

/** The rows of a query that give nothing: counted by reason, and said once as long as there are some. */
export class RowDrops {
  readonly #record: (reason: DropReason) => void;
  readonly #incident: Incident;
  readonly #saysNulls: boolean;
  #worthSaying: RowProblem | undefined;

  constructor(
    record: (reason: DropReason) => void,
    options: { readonly logger: Logger; readonly yields: string; readonly saysNulls: boolean },
  ) {
    this.#record = record;
    this.#saysNulls = options.saysNulls;
    this.#incident = new Incident(options.logger, {
      failing: `Rows give no ${options.yields}`,
      recovered: `Every row gives a ${options.yields} again`,
    });
  }

  readonly unlessProblem: UnlessProblem = unlessProblem((problem) => {
    this.#record(problem.reason);
    if (problem.reason !== 'null' || this.#saysNulls) this.#worthSaying ??= problem;
  });

  /** At the end of a poll. */
  sayOnce(): void {
    if (this.#worthSaying === undefined) this.#incident.succeeded();
    else this.#incident.failed(this.#worthSaying);
    this.#worthSaying = undefined;
  }
}
