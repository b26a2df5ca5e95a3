import { unlessAborted } from '../../postgres/polling/unless-aborted.ts';
import type { Metric } from '../../catalogue/metric.ts';
import type { Row } from '../../postgres/read-only-pool.ts';
import { InvalidCrons } from './invalid-crons.ts';
import type { PackSchema, StatePoll, TableColumns } from './pack.ts';
import { publish, type PollContext } from './poll-context.ts';
import type { Poll, PolledQuery } from './polled-query.ts';
import { QuerySeries } from './series.ts';

/** Ten thousand roasters with both cadences, and then some. */
const MAX_ROWS = 50_000;

/** Publishes what is there now: each answer takes the place of the one before. */
export class StateQuery implements PolledQuery {
  readonly #id: string;
  readonly #query: StatePoll;
  readonly #timeoutMs: number;
  readonly #context: PollContext;
  readonly #series: QuerySeries;
  readonly #invalidCrons: InvalidCrons;

  /** @param described the metrics by the names of their columns; those of the catalogue unless given. */
  constructor(
    id: string,
    query: StatePoll,
    { timeoutMs, described }: { readonly timeoutMs: number; readonly described?: Readonly<Record<string, Metric>> },
    context: PollContext,
  ) {
    this.#id = id;
    this.#query = query;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
    this.#series = new QuerySeries(query, described);
    this.#invalidCrons = new InvalidCrons(context.logger.child({ query: id }));
  }

  get needs(): TableColumns {
    return this.#query.needs;
  }

  async poll(schema: PackSchema, signal: AbortSignal): Promise<Poll> {
    const { text, values = [] } = this.#query.statement(schema);
    const asked = { text, values, timeoutMs: this.#timeoutMs, maxRows: MAX_ROWS, signal };
    const { rows, durationMs } = await unlessAborted(signal, this.#context.pool.query(asked));
    await this.#publish(this.#derived(rows));
    return { durationMs, rows: rows.length };
  }

  async retract(): Promise<void> {
    await this.#publish([]);
  }

  #derived(rows: readonly Row[]): readonly Row[] {
    if (!this.#query.derive) return rows;
    const invalid: string[] = [];
    const derived = this.#query.derive(rows, (subject) => invalid.push(subject));
    this.#context.metrics.dropped(this.#id, 'invalid_cron', invalid.length);
    this.#invalidCrons.found(invalid);
    return derived;
  }

  async #publish(rows: readonly Row[]): Promise<void> {
    const { metrics } = this.#context;
    const series = this.#series.fromRows(rows, {
      replaced: (label, reason, count) => metrics.replaced(this.#id, { label, reason, count }),
      dropped: (reason, count) => metrics.dropped(this.#id, reason, count),
    });
    await this.#series.publish(series, async (data) => await publish(this.#context, data));
  }
}
