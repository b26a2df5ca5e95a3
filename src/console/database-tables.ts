/** The numbers of the view of the database: expressions over the series that the poller writes. */

/** How far back counters are read. */
export const WINDOW = '15m';

export interface NumberTable {
  readonly title: string;
  /** The labels that distinguish its lines. */
  readonly labels: readonly string[];
  readonly columns: readonly NumberColumn[];
  /** The name of a column, whose largest values come first. */
  readonly sortBy: string;
  /** The reason why a table has no lines, and how to get some. */
  readonly empty: string;
  /** The reason why a line may lack a number, and how to get it. */
  readonly gap?: string;
  /** How many seconds ago the database was asked. Undefined if each query has its own time. */
  readonly readAge?: string;
}

export interface NumberColumn {
  readonly name: string;
  /** UCUM. */
  readonly unit: string;
  readonly expression: string;
  /** Larger values are marked. */
  readonly warnsAbove?: number;
}

const sessions: NumberTable = {
  title: 'Sessions',
  labels: ['instance'],
  sortBy: 'waiting locks',
  empty: 'No database is polled: set DATABASE_URL, and add the receiver db_poller with the pack postgres_health',
  gap: 'A number is missing as long as the role of the poller does not see all sessions: grant pg_read_all_stats to it',
  readAge: 'max(siphon_db_poller_success_age_seconds{query=~"postgres_health[.](activity|connections|locks)"})',
  columns: [
    connections('active', '="active"'),
    connections('idle', '="idle"'),
    connections('idle in transaction', '=~"idle_in_transaction.*"'),
    worst('waiting locks', '{lock}', 'database_locks_waiting', 0),
    worst('longest transaction', 's', 'database_transaction_longest_seconds', 300),
    worst('longest idle in transaction', 's', 'database_idle_in_transaction_longest_seconds', 60),
    {
      name: 'of all connections',
      unit: '1',
      expression: 'max by (instance) (database_connections_used) / max by (instance) (database_connections_limit)',
      warnsAbove: 0.8,
    },
  ],
};

const statements: NumberTable = {
  title: `Statements of the last ${WINDOW}, by time`,
  labels: ['instance', 'statement', 'queryid'],
  sortBy: 'time',
  empty: `No statement has run in ${WINDOW}, or the database does not count them: siphon doctor shows how to add pg_stat_statements`,
  columns: [
    counted('time', 's', 'database_statement_time_seconds_total'),
    counted('calls', '{call}', 'database_statement_calls_total'),
    {
      name: 'mean',
      unit: 's',
      expression: `${ofStatements('database_statement_time_seconds_total')} / (${ofStatements('database_statement_calls_total')} > 0)`,
    },
    counted('rows', '{row}', 'database_statement_rows_total'),
    counted('blocks read', '{block}', 'database_statement_blocks_read_total'),
    counted('blocks in temporary files', '{block}', 'database_statement_temp_blocks_written_total'),
  ],
};

const tables: NumberTable = {
  title: 'Tables',
  labels: ['instance', 'table'],
  sortBy: 'size',
  empty: 'No table is observed: name them in the setting tables of the pack postgres_health, or set top_tables',
  columns: [
    ofTable('size', 'By', 'database_table_size_bytes'),
    ofTable('indexes', 'By', 'database_table_indexes_size_bytes'),
    ofTable('live rows', '{row}', 'database_table_rows{state="live"}'),
    ofTable('dead rows', '{row}', 'database_table_rows{state="dead"}'),
    ofTable('last autovacuum', 's', 'database_table_autovacuum_age_seconds'),
    ofTable('freeze age', '{transaction}', 'database_table_freeze_age'),
  ],
};

const poller: NumberTable = {
  title: 'Poller',
  labels: ['receiver', 'query'],
  sortBy: 'missed polls',
  empty: 'No query has run: no receiver db_poller is configured, or it does not poll',
  columns: [
    ofQuery('last success', 's', 'siphon_db_poller_success_age_seconds'),
    ofQuery('every', 's', 'siphon_db_poller_query_interval_seconds'),
    {
      name: 'missed polls',
      unit: '{poll}',
      expression:
        // A poll that is late by less than half an interval is not missed.
        'floor(clamp_min(max by (receiver, query) (siphon_db_poller_success_age_seconds) / max by (receiver, query) (siphon_db_poller_query_interval_seconds) - 0.5, 0))',
      warnsAbove: 2,
    },
    {
      name: 'duration',
      unit: 's',
      expression: `sum by (receiver, query) (rate(siphon_db_poller_query_duration_seconds_sum[${WINDOW}])) / (sum by (receiver, query) (rate(siphon_db_poller_query_duration_seconds_count[${WINDOW}])) > 0)`,
    },
    ofQuery('rows', '{row}', 'siphon_db_poller_rows'),
    ofQuery('rows not counted yet', '{row}', 'siphon_db_poller_backlog_rows'),
    {
      name: 'failed',
      unit: '{poll}',
      expression: `sum by (receiver, query) (increase(siphon_db_poller_errors[${WINDOW}]))`,
      warnsAbove: 0,
    },
  ],
};

export const DATABASE_TABLES: readonly NumberTable[] = [sessions, statements, tables, poller];

/** 0 for a receiver that does not poll: another sidecar does, or the database is not reached. */
export const LEADS = 'max by (receiver) (siphon_db_poller_leader)';

/** Above 0 for a receiver that cannot ask whether another sidecar polls. */
export const ELECTION_FAILURES = 'sum by (receiver) (increase(siphon_db_poller_errors{query="leader_election"}[1m]))';

function connections(name: string, state: string): NumberColumn {
  return { name, unit: '{connection}', expression: `sum by (instance) (database_connections{state${state}})` };
}

function worst(name: string, unit: string, metric: string, warnsAbove: number): NumberColumn {
  return { name, unit, expression: `max by (instance) (${metric})`, warnsAbove };
}

function counted(name: string, unit: string, metric: string): NumberColumn {
  return { name, unit, expression: `${ofStatements(metric)} > 0` };
}

function ofStatements(metric: string): string {
  return `sum by (instance, statement, queryid) (increase(${metric}[${WINDOW}]))`;
}

function ofTable(name: string, unit: string, series: string): NumberColumn {
  return { name, unit, expression: `max by (instance, table) (${series})` };
}

function ofQuery(name: string, unit: string, metric: string): NumberColumn {
  return { name, unit, expression: `max by (receiver, query) (${metric})` };
}
