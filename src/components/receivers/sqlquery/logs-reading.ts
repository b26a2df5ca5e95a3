import { encodeLogsRequest } from '../../../engine/otlp/logs-writer.ts';
import { send } from '../../../postgres/polling/send.ts';
import type { QueryResult } from '../../../postgres/read-only-pool.ts';
import type { QueryConfig } from './config.ts';
import type { ReadingContext, Reading, Statement } from './reading-poller.ts';
import { logsStatement, recordsOf, wholeTies } from './read-logs.ts';
import { RowDrops } from './row-drops.ts';
import { scopeOf } from './scope.ts';
import type { Tracking } from './tracking.ts';

type Ask = (statement: Statement) => Promise<QueryResult>;

/** Converts the rows of a query to log records. */
export class LogsReading implements Reading {
  readonly #query: QueryConfig;
  readonly #tracking: Tracking;
  readonly #context: ReadingContext;
  readonly #drops: RowDrops;

  constructor(id: string, query: QueryConfig, { tracking, context }: { tracking: Tracking; context: ReadingContext }) {
    this.#query = query;
    this.#tracking = tracking;
    this.#context = context;
    context.metrics.declareDrops(id, 'records');
    this.#drops = new RowDrops((reason) => context.metrics.dropped(id, 'records', reason), {
      logger: context.logger.child({ query: id }),
      yields: 'log record',
      reportsNulls: !query.ignore_null_values,
    });
  }

  async read(ask: Ask, signal: AbortSignal): Promise<void> {
    if (this.#query.tracking_column === undefined) {
      await this.#emit(await ask(logsStatement(this.#query, '')));
    } else {
      for (let isMore = true; isMore && !signal.aborted;) isMore = await this.#readOn(this.#query.tracking_column, ask);
    }
    this.#drops.report();
  }

  /** Log records never become stale. */
  async retract(): Promise<void> {}

  /**
   * Reads one batch. The position is stored only after the pipeline accepted the records, so a process that ends before
   * reads the rows again. Resolves to whether more rows are waiting.
   */
  async #readOn(column: string, ask: Ask): Promise<boolean> {
    const answer = await ask(logsStatement(this.#query, await this.#tracking.value()));
    const batch = wholeTies(this.#query, answer.rows);
    await this.#emit({ ...answer, rows: batch });
    const last = batch.findLast((row) => row[column] !== null)?.[column] as string | undefined;
    if (last !== undefined) this.#tracking.moveTo(last);
    await this.#tracking.save();
    return last !== undefined && batch.length < answer.rows.length;
  }

  async #emit(answer: QueryResult): Promise<void> {
    const records = recordsOf(this.#query, answer, this.#drops.unlessProblem);
    if (records.length === 0) return;
    const { consumer, version } = this.#context;
    const chunk = encodeLogsRequest({ resource: {}, scope: scopeOf(version), observedUnixMs: Date.now(), records });
    await send(consumer, { signal: 'logs', chunk, itemCount: records.length });
  }
}
