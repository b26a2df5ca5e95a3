import type { Logger } from 'pino';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { serverFunctions, type ServerFunctions } from '../../../../postgres/server-functions.ts';
import { SERVER_SESSIONS } from '../../../../postgres/server-sessions.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { RunContext } from '../run/query-run.ts';
import type { Poll, QueryRun } from '../run/query-run.ts';

const LONG_S = 60;

/** Measures how long counting has been blocked: rows are not counted while an older write transaction is open. */
export class Horizon implements QueryRun {
  readonly needs: TableColumns = {};
  readonly #context: RunContext;
  readonly #timeoutMs: number;
  readonly #holder: HolderReport;
  #isReported = false;
  #held: { readonly xid: string; readonly sinceMs: number } | undefined;

  constructor(context: RunContext, timeoutMs: number) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#holder = new HolderReport(context.logger);
  }

  async poll(_schema: Schema, signal: AbortSignal): Promise<Poll> {
    this.#reportFunctions(await serverFunctions(this.#context.pool));
    const { rows, durationMs } = await this.#context.pool.query({
      text: OLDEST_WRITER,
      values: [],
      timeoutMs: this.#timeoutMs,
      maxRows: 1,
      signal,
    });
    const row = rows[0]!;
    const lagS = this.#lagS(row);
    this.#context.metrics.horizonLag(lagS);
    this.#holder.found(lagS, row);
    return { durationMs, rows: 1 };
  }

  async retract(): Promise<void> {
    this.#context.metrics.horizonLag(undefined);
    return Promise.resolve();
  }

  /** Once for the receiver, not for each counter. */
  #reportFunctions({ hasWal, hasControl }: ServerFunctions): void {
    if (this.#isReported || (hasWal && hasControl)) return;
    this.#isReported = true;
    const fields = { wal_functions: hasWal, control_functions: hasControl };
    this.#context.logger.warn(fields, 'The server refuses functions that counting uses: it continues without them; siphon doctor names the effect'); // prettier-ignore
  }

  /** If the role may not see the age of the transaction, the time since the horizon last moved replaces it. */
  #lagS(row: Row): number {
    if (row['is_held'] !== true) this.#held = undefined;
    else if (this.#held?.xid !== row['settled_xid'])
      this.#held = { xid: String(row['settled_xid']), sinceMs: performance.now() };
    if (!this.#held) return 0;
    return row['age_s'] === null ? (performance.now() - this.#held.sinceMs) / 1000 : Number(row['age_s']);
  }
}

/** Logs once which transaction blocks counting, and once that it has ended. */
class HolderReport {
  readonly #logger: Logger;
  #isSaid = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  found(ageS: number, { pid, application_name, prepared }: Row): void {
    if (ageS >= LONG_S && !this.#isSaid) {
      this.#isSaid = true;
      const fields = { pid, application_name, prepared, age_s: Math.round(ageS) };
      this.#logger.warn(fields, 'Counting is blocked by an open write transaction');
    } else if (ageS < LONG_S && this.#isSaid) {
      this.#isSaid = false;
      this.#logger.info('The write transaction that blocked counting has ended');
    }
  }
}

/** `age_s` is NULL if the role may not see it. */
const OLDEST_WRITER = `
  select pg_snapshot_xmin(snapshot)::text as settled_xid, pg_snapshot_xmin(snapshot) < pg_snapshot_xmax(snapshot) as is_held,
         holder.pid, holder.application_name, holder.prepared,
         extract(epoch from clock_timestamp() - holder.since)::float8 as age_s
  from pg_current_snapshot() snapshot
  left join (select * from (
               select pid, application_name, null as prepared, backend_xid as xid, xact_start as since
               from ${SERVER_SESSIONS} where backend_xid is not null
               union all select null, null, gid, transaction, prepared from pg_prepared_xacts) writer
             order by age(xid) desc limit 1) holder on true`;
