import { CHOSEN_DATABASES, datname } from './databases.ts';
import { gauge, group } from './group.ts';

/** PostgreSQL reads the size of every file for it. A database that the role may not connect to has no value. */
export const databaseSizes = group({
  metrics: {
    database_each_size_bytes: gauge('database.each.size', 'By', 'Size of each database of the server on disk', {
      datname,
    }),
  },
  cost: 'sizes',
  pace: 'rare',
  statement: () => ({
    text: `
      select datname,
             case when has_database_privilege(oid, 'connect') or pg_has_role('pg_read_all_stats', 'usage')
                  then pg_database_size(oid) end as database_each_size_bytes
      from ${CHOSEN_DATABASES} chosen`,
  }),
});
