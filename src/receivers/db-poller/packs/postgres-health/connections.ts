import type { PollQuery } from '../../pack.ts';

/**
 * Our own connection is not counted. PostgreSQL hides what other roles do from a role without
 * pg_read_all_stats; a number of what is left would be wrong, so that there is none then.
 */
export const connections: PollQuery = {
  needs: {},
  metrics: { database_connections_active: 'drop' },
  statement: () => ({
    text: `
      select case when count(*) filter (where query = '<insufficient privilege>') = 0
                  then count(*) filter (where state = 'active') end as database_connections_active
      from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
  }),
};
