import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { counter, gauge, group } from './group.ts';

const MOST_DATABASES = 20;
export const datname: BudgetedLabel = {
  maxValues: MOST_DATABASES,
  description: 'name of a database of the server; those with most connections and transactions',
};

/** For FROM: the databases with series, which are chosen without their size, because it is expensive. */
export const CHOSEN_DATABASES = `
  (select d.oid, d.datname, d.datfrozenxid, numbackends, xact_commit, xact_rollback, deadlocks, temp_bytes, stats_reset
   from pg_database d join pg_stat_database s on s.datid = d.oid
   where d.datallowconn and not d.datistemplate
   order by numbackends desc, xact_commit + xact_rollback desc, d.oid limit ${MOST_DATABASES})`;

/** All databases of the server, also those that are not polled, as far as one connection can see them. */
export const databases = group({
  metrics: {
    database_each_connections: gauge(
      'database.each.connections',
      '{connection}',
      'Connections to each database of the server',
      { datname },
    ),
    database_each_transactions_total: counter(
      'database.each.transactions',
      '{transaction}',
      'Transactions that ended in each database of the server',
      { datname, outcome: ['commit', 'rollback'] },
    ),
    database_each_deadlocks_total: counter(
      'database.each.deadlocks',
      '{deadlock}',
      'Deadlocks in each database of the server',
      { datname },
    ),
    database_each_temp_bytes_total: counter(
      'database.each.temp',
      'By',
      'Bytes that queries wrote to temporary files in each database of the server',
      { datname },
    ),
    database_each_freeze_age: gauge(
      'database.each.freeze.age',
      '{transaction}',
      'Transactions since the oldest unfrozen row of each database of the server',
      { datname },
    ),
  },
  cost: 'statistics',
  pace: 'slow',
  since: 'reset_unix_ms',
  statement: () => ({
    text: `
      select datname, extract(epoch from stats_reset) * 1000 as reset_unix_ms, counted.*
      from ${CHOSEN_DATABASES} chosen
      cross join lateral (values
        ('commit', xact_commit, numbackends, deadlocks, temp_bytes, age(datfrozenxid)),
        ('rollback', xact_rollback, null, null, null, null)
      ) counted (outcome, database_each_transactions_total, database_each_connections, database_each_deadlocks_total,
                 database_each_temp_bytes_total, database_each_freeze_age)`,
  }),
});
