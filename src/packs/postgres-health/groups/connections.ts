import { SERVER_SESSIONS } from '../../../components/receivers/db-poller/query.ts';
import { gauge, group } from './group.ts';

/** A role without pg_read_all_stats does not see every session. A number from the visible rest would be wrong. */
export const connections = group({
  metrics: {
    database_connections_limit: gauge(
      'database.connections.limit',
      '{connection}',
      'Connections that the server allows for roles without reserved connections',
    ),
    database_connections_used: gauge(
      'database.connections.used',
      '{connection}',
      'Connections of clients to all databases of the server; the limit applies to their number',
    ),
  },
  cost: 'statistics',
  statement: () => ({
    text: `
      select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0) as database_connections_limit,
             case when count(*) filter (where datid is not null and query = '<insufficient privilege>') = 0
                  then count(*) filter (where backend_type = 'client backend') end as database_connections_used
      from ${SERVER_SESSIONS}`,
  }),
});
