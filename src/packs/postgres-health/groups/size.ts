import { gauge, group } from './group.ts';

/** PostgreSQL reads the size of every file for it. */
export const size = group({
  metrics: {
    database_size_bytes: gauge('database.size', 'By', 'Size of the polled database on disk'),
    database_freeze_age: gauge(
      'database.freeze.age',
      '{transaction}',
      'Transactions since the oldest unfrozen row of the polled database; PostgreSQL stops accepting writes before 2^31',
    ),
  },
  cost: 'sizes',
  isPerDatabase: true,
  pace: 'slow',
  statement: () => ({
    text: `
      select pg_database_size(oid) as database_size_bytes, age(datfrozenxid) as database_freeze_age
      from pg_database where datname = current_database()`,
  }),
});
