import { unlessAborted } from '../../../../postgres/polling/unless-aborted.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { askState, type Remarks } from './ask.ts';
import type { Schema, GaugeQuery, TableColumns } from '../query.ts';
import { publish, type PollContext } from '../run/poll-context.ts';
import type { Poll, PolledQuery } from '../run/polled-query.ts';
import { QuerySeries } from './series.ts';
import { SubjectReport } from './subject-report.ts';

/** Publishes what is there now: each answer takes the place of the one before. */
export class StateQuery implements PolledQuery {
  readonly #id: string;
  readonly #query: GaugeQuery;
  readonly #timeoutMs: number;
  readonly #context: PollContext;
  readonly #series: QuerySeries;
  readonly #invalidCrons: SubjectReport;
  readonly #missingTables: SubjectReport;

  constructor(id: string, query: GaugeQuery, { timeoutMs }: { readonly timeoutMs: number }, context: PollContext) {
    this.#id = id;
    this.#query = query;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
    this.#series = new QuerySeries(query);
    const logger = context.logger.child({ query: id });
    this.#invalidCrons = new SubjectReport(logger, 'invalid_cron');
    this.#missingTables = new SubjectReport(logger, 'missing_table');
  }

  get needs(): TableColumns {
    return this.#query.needs;
  }

  async poll(schema: Schema, signal: AbortSignal): Promise<Poll> {
    const limits = { pool: this.#context.pool, timeoutMs: this.#timeoutMs, signal };
    const { rows, rowCount, durationMs, remarks } = await unlessAborted(signal, askState(this.#query, schema, limits));
    this.#say(remarks);
    await this.#publish(rows);
    return { durationMs, rows: rowCount };
  }

  async retract(): Promise<void> {
    await this.#publish([]);
  }

  #say(remarks: Remarks): void {
    const invalid = remarks.get('invalid_cron') ?? [];
    this.#context.metrics.dropped(this.#id, 'invalid_cron', invalid.length);
    this.#invalidCrons.found(invalid);
    this.#missingTables.found(remarks.get('missing_table') ?? []);
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
