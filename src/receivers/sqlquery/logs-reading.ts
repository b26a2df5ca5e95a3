import { encodeLogsRequest, type LogRecord } from '../../collector/otlp/logs-writer.ts';
import { send } from '../../postgres/polling/send.ts';
import { PostgresError } from '../../postgres/postgres-error.ts';
import type { QueryResult, Row } from '../../postgres/read-only-pool.ts';
import { columnReader } from './answer.ts';
import type { QueryConfig } from './config.ts';
import type { PollContext, Reading, Statement } from './query-poller.ts';
import { RowDrops } from './row-drops.ts';
import { attributesOf, present } from './row-metric.ts';
import { scopeOf } from './scope.ts';
import type { Tracking } from './tracking.ts';
import { inOrderOf, userSql } from './user-sql.ts';

type Ask = (statement: Statement) => Promise<QueryResult>;

/** Of one batch; with tracking, what is beyond is read next. */
const MAX_ROWS = 5000;

/** Makes log records of the rows of a query. */
export class LogsReading implements Reading {
  readonly #query: QueryConfig;
  readonly #tracking: Tracking;
  readonly #context: PollContext;
  readonly #drops: RowDrops;

  constructor(id: string, query: QueryConfig, { tracking, context }: { tracking: Tracking; context: PollContext }) {
    this.#query = query;
    this.#tracking = tracking;
    this.#context = context;
    context.metrics.declareDrops(id, 'records');
    this.#drops = new RowDrops((reason) => context.metrics.dropped(id, 'records', reason), {
      logger: context.logger.child({ query: id }),
      yields: 'log record',
      saysNulls: !query.ignore_null_values,
    });
  }

  async read(ask: Ask, signal: AbortSignal): Promise<void> {
    const { tracking_column: column } = this.#query;
    if (column === undefined) {
      await this.#emit(await ask({ text: userSql(this.#query.sql), values: [], maxRows: MAX_ROWS }));
    } else {
      for (let isMore = true; isMore && !signal.aborted;) isMore = await this.#readOn(column, ask);
    }
    this.#drops.sayOnce();
  }

  /** Records are what happened, and stay true. */
  async retract(): Promise<void> {}

  /**
   * One batch. The place is kept only once the records were taken: a process that ends in between reads the rows again.
   * Resolves to whether there are more.
   */
  async #readOn(column: string, ask: Ask): Promise<boolean> {
    const text = inOrderOf(column, this.#query.sql);
    const answer = await ask({
      text: `${text} limit ${MAX_ROWS + 1}`,
      values: [await this.#tracking.value()],
      maxRows: MAX_ROWS + 1,
    });
    const batch = wholeTies(answer.rows, column);
    await this.#emit({ ...answer, rows: batch });
    const last = batch.findLast((row) => row[column] !== null)?.[column] as string | undefined;
    if (last !== undefined) this.#tracking.moveTo(last);
    await this.#tracking.save();
    return last !== undefined && batch.length < answer.rows.length;
  }

  async #emit({ rows, columns }: QueryResult): Promise<void> {
    const read = columnReader(columns);
    const records = this.#query.logs.flatMap((config) =>
      rows.flatMap((row): LogRecord | [] => {
        const record = (): LogRecord => ({
          body: present(read, row, config.body_column),
          attributes: attributesOf(row, read, config),
        });
        return this.#drops.unlessProblem(record) ?? [];
      }),
    );
    if (records.length === 0) return;
    const { consumer, version } = this.#context;
    const chunk = encodeLogsRequest({ resource: {}, scope: scopeOf(version), observedUnixMs: Date.now(), records });
    await send(consumer, { signal: 'logs', chunk, itemCount: records.length });
  }
}

/**
 * The rows, without those at the end that share a value with one that was cut off: reading on after that value would
 * leave it out.
 */
function wholeTies(rows: readonly Row[], column: string): readonly Row[] {
  if (rows.length <= MAX_ROWS) return rows;
  const value = rows.at(-1)?.[column];
  const end = rows.findLastIndex((row) => row[column] !== value) + 1;
  if (end === 0)
    throw new PostgresError('too_many_rows', `more than ${MAX_ROWS} rows with one value of the tracking column`);
  return rows.slice(0, end);
}
