import { SERVER_SESSIONS } from '../../../components/receivers/db-poller/query.ts';
import { gauge, group } from './group.ts';

/** A lock on the end of a transaction does not belong to a database, so locks are selected by the database of the session. */
export const locks = group({
  metrics: {
    database_locks_waiting: gauge(
      'database.locks.waiting',
      '{lock}',
      'Locks that sessions of the polled database wait for',
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  statement: () => ({
    text: `
      select count(*) as database_locks_waiting from pg_locks
      where not granted
        and pid in (select pid from ${SERVER_SESSIONS}
                    where datid = (select oid from pg_database where datname = current_database()))`,
  }),
});
