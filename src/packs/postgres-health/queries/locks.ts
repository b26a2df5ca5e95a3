import { postgresHealthMetrics } from '../metrics.ts';
import { metricColumns, SERVER_SESSIONS, type GaugeQuery } from '../../../components/receivers/db-poller/query.ts';

/** A lock on the end of a transaction does not belong to a database, so locks are selected by the database of the session. */
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
