import { postgresHealthMetrics } from '../metrics.ts';
import { metricColumns, SERVER_SESSIONS, type GaugeQuery } from '../../../components/receivers/db-poller/query.ts';

/** Whoever waits for the end of a transaction waits for a lock that belongs to no database, so that its session tells. */
export const locks: GaugeQuery = {
  needs: {},
  metrics: metricColumns(postgresHealthMetrics, { database_locks_waiting: 'drop' }),
  statement: () => ({
    text: `
      select count(*) as database_locks_waiting from pg_locks
      where not granted
        and pid in (select pid from ${SERVER_SESSIONS}
                    where datid = (select oid from pg_database where datname = current_database()))`,
  }),
};
