import type { BudgetedLabel } from '../../../metrics/metric.ts';
import type { Schema } from '../../../components/receivers/db-poller/query.ts';
import { counter, group } from './group.ts';
import { statementText } from './statement-text.ts';

export const MOST_STATEMENTS = 50;

/** More of a text is never shown. */
const READ_CHARACTERS = 2000;

const labels = {
  queryid: { maxValues: MOST_STATEMENTS, description: 'the id of a statement in pg_stat_statements' },
  statement: {
    maxValues: MOST_STATEMENTS,
    description: 'its text, without constants and comments, up to 100 characters',
  },
} as const satisfies Record<string, BudgetedLabel>;

const relation = 'pg_stat_statements';

/**
 * The statements of the polled database that took most time since the statistics were reset. All users' executions of a
 * statement are added. A role that does not see the statements of others gets no numbers.
 */
export const statements = group({
  metrics: {
    database_statement_calls_total: counter(
      'database.statement.calls',
      '{call}',
      'Executions of one of the statements that took most time',
      labels,
    ),
    database_statement_time_seconds_total: counter(
      'database.statement.time',
      's',
      'Time that a statement was executed, added over all sessions',
      labels,
    ),
    database_statement_rows_total: counter(
      'database.statement.rows',
      '{row}',
      'Rows that a statement returned or changed',
      labels,
    ),
    database_statement_blocks_read_total: counter(
      'database.statement.blocks.read',
      '{block}',
      'Blocks that a statement read from storage',
      labels,
    ),
    database_statement_temp_blocks_written_total: counter(
      'database.statement.temp.blocks.written',
      '{block}',
      'Blocks that a statement wrote to temporary files, because they did not fit into work_mem',
      labels,
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  // PostgreSQL reads the file with all texts.
  pace: 'slow',
  needs: {
    [relation]: [
      'queryid',
      'query',
      'dbid',
      'calls',
      'total_exec_time',
      'rows',
      'shared_blks_read',
      'temp_blks_written',
    ],
  },
  uses: { [relation]: ['stats_since'], pg_stat_statements_info: ['stats_reset'] },
  remedy: `run: create extension ${relation}; if the server does not load the library, which most providers do, first add ${relation} to shared_preload_libraries and restart it`,
  since: 'since_unix_ms',
  statement: (schema, settings) => ({
    text: `
      with entry as materialized (
        select queryid, query, calls, total_exec_time, rows, shared_blks_read, temp_blks_written,
               ${schema.has(relation, 'stats_since') ? 'stats_since' : 'null::timestamptz'} as since
        from ${schema.table(relation)}
        where dbid = (select oid from pg_database where datname = current_database())
      )
      select queryid::text, left(min(query), ${READ_CHARACTERS}) as query,
             extract(epoch from coalesce(min(since), ${sinceReset(schema)})) * 1000 as since_unix_ms,
             sum(calls) as database_statement_calls_total,
             sum(total_exec_time) / 1000 as database_statement_time_seconds_total,
             sum(rows) as database_statement_rows_total,
             sum(shared_blks_read) as database_statement_blocks_read_total,
             sum(temp_blks_written) as database_statement_temp_blocks_written_total
      from entry
      where not exists (select from entry where query = '<insufficient privilege>')
      group by queryid order by sum(total_exec_time) desc, queryid limit $1`,
    values: [settings.statements],
  }),
  derive: (rows) => rows.map(({ query, ...row }) => ({ ...row, statement: statementText(query) })),
});

function sinceReset({ has, table }: Schema): string {
  const info = 'pg_stat_statements_info';
  return has(info, 'stats_reset') ? `(select stats_reset from ${table(info)})` : 'null';
}
