import { gauge, group } from './group.ts';

export const server = group({
  metrics: {
    database_start_timestamp_seconds: gauge('database.start.timestamp', 's', 'When the server started, in Unix time'),
    database_version: gauge('database.version', '{version}', 'Version of the server: 180004 is 18.4'),
    database_is_standby: gauge(
      'database.is_standby',
      '{standby}',
      '1 while the server replays the changes of another one, 0 while it accepts writes',
    ),
    database_server_freeze_age: gauge(
      'database.server.freeze.age',
      '{transaction}',
      'Transactions since the oldest unfrozen row of any database of the server; it stops accepting writes before 2^31',
    ),
    database_server_multixact_age: gauge(
      'database.server.multixact.age',
      '{multixact}',
      'Multixacts, which are row locks of several transactions, since the oldest one of any database of the server; it stops accepting writes before 2^31',
    ),
  },
  cost: 'statistics',
  statement: () => ({
    text: `
      select extract(epoch from pg_postmaster_start_time()) as database_start_timestamp_seconds,
             current_setting('server_version_num')::int as database_version,
             pg_is_in_recovery()::int as database_is_standby,
             max(age(datfrozenxid)) as database_server_freeze_age,
             max(mxid_age(datminmxid)) as database_server_multixact_age
      from pg_database`,
  }),
});
