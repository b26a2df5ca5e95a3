import { gauge, group } from './group.ts';

/** PostgreSQL reads a directory for it. */
export const walFiles = group({
  metrics: {
    database_wal_files_size_bytes: gauge(
      'database.wal.files.size',
      'By',
      'Size of the files of the write-ahead log on disk, with files that are kept for reuse',
    ),
  },
  cost: 'sizes',
  pace: 'slow',
  needs: { 'pg_ls_waldir()': ['execute'] },
  remedy:
    'run the output of siphon doctor --sql, or: grant execute on function pg_ls_waldir() to the role; a provider that reserves the function may let you grant pg_monitor instead',
  statement: () => ({ text: 'select sum(size) as database_wal_files_size_bytes from pg_ls_waldir()' }),
});
