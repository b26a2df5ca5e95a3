import { SERVER_SESSIONS } from '../../../components/receivers/db-poller/query.ts';
import { gauge, group } from './group.ts';

/** The states in `pg_stat_activity`. `starting` exists since PostgreSQL 18; before, a starting session is `unknown`. */
export const connectionStates = [
  'starting',
  'active',
  'idle',
  'idle_in_transaction',
  'idle_in_transaction_aborted',
  'fastpath_function_call',
  'disabled',
  'unknown',
] as const;

/**
 * All values exclude the sessions of the poller. PostgreSQL hides the activity
 * of other roles' sessions from a role without pg_read_all_stats. A number from the visible rest would be wrong, so the
 * metric is absent then. The number of active connections is also absent if a session has track_activities off.
 */
export const activity = group({
  metrics: {
    database_connections: gauge(
      'database.connections',
      '{connection}',
      'Connections of clients to the polled database, by state, without the connections of the poller',
      { state: connectionStates },
    ),
    database_connections_active: gauge(
      'database.connections.active',
      '{connection}',
      'Connections of clients to the polled database that are running a statement, without the connections of the poller',
    ),
    database_transaction_longest_seconds: gauge(
      'database.transaction.longest',
      's',
      'Age of the oldest open transaction of a client in the polled database; 0 without one',
    ),
    database_idle_in_transaction_longest_seconds: gauge(
      'database.idle_in_transaction.longest',
      's',
      'Longest time that a session has been idle inside a transaction; 0 without one',
    ),
    database_xmin_age: gauge(
      'database.xmin.age',
      '{transaction}',
      'Transactions since the oldest snapshot of a session, a prepared transaction or a replication slot, for which vacuum must keep old rows; 0 without one',
    ),
  },
  merge: { database_connections: 'sum' },
  cost: 'statistics',
  isPerDatabase: true,
  statement: () => ({
    text: `
      with session as materialized (
        select backend_xid, backend_xmin, xact_start, state_change, datid, datid = current.oid as is_here,
               backend_type = 'client backend' as is_client, query = '<insufficient privilege>' as is_hidden,
               trim('_' from regexp_replace(state, '[^a-z]+', '_', 'g')) as state,
               -- The snapshots of vacuum do not delay vacuum.
               pid in (select pid from pg_stat_progress_vacuum) as is_vacuum
        from ${SERVER_SESSIONS}, (select oid from pg_database where datname = current_database()) current
        -- The poller runs queries next to each other, in sessions of one name.
        where pid <> pg_backend_pid()
          and (application_name, usesysid) is distinct from
              (nullif(current_setting('application_name'), ''), (select oid from pg_roles where rolname = session_user))
      ), visible as (
        select count(*) filter (where is_hidden) = 0 as everything,
               count(*) filter (where is_hidden and is_here) = 0 as here
        from session
      )
      select state, count(session.is_client) as database_connections,
             null as database_connections_active, null as database_transaction_longest_seconds,
             null as database_idle_in_transaction_longest_seconds, null as database_xmin_age
      from unnest($1::text[]) known (state)
      full join (select * from session where is_here and is_client) session using (state)
      where (select here from visible)
      group by state
      union all
      select null, null,
             case when here and count(*) filter (where of_client and state = 'disabled') = 0
                  then count(*) filter (where of_client and state = 'active') end,
             case when here
                  then greatest(0, extract(epoch from now() - min(xact_start) filter (where of_client))) end,
             case when here then greatest(0, extract(epoch from now() - min(state_change)
                    filter (where of_client and state like 'idle_in_transaction%'))) end,
             case when everything
                  then greatest(0, max(age(backend_xmin)) filter (where holds_rows),
                                max(age(backend_xid)) filter (where holds_rows),
                                (select max(age(transaction)) from pg_prepared_xacts where database = current_database()),
                                (select max(age(xmin)) from pg_replication_slots)) end
      from visible left join lateral (
        select *, is_here and is_client as of_client, (is_here or datid is null) and not is_vacuum as holds_rows
        from session) session on true
      group by here, everything`,
    values: [connectionStates],
  }),
});
