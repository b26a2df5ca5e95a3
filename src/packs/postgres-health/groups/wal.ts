import { counter, group } from './group.ts';

export const wal = group({
  metrics: {
    database_wal_bytes_total: counter('database.wal', 'By', 'Bytes of write-ahead log that the server generated'),
    database_wal_full_page_images_total: counter(
      'database.wal.full_page_images',
      '{page}',
      'Whole pages in the write-ahead log: each page once after a checkpoint',
    ),
    database_wal_buffers_full_total: counter(
      'database.wal.buffers_full',
      '{write}',
      'Writes of the write-ahead log because its buffers were full',
    ),
  },
  cost: 'statistics',
  needs: { pg_stat_wal: ['wal_bytes', 'wal_fpi', 'wal_buffers_full', 'stats_reset'] },
  since: 'reset_unix_ms',
  statement: () => ({
    text: `
      select extract(epoch from stats_reset) * 1000 as reset_unix_ms, wal_bytes as database_wal_bytes_total,
             wal_fpi as database_wal_full_page_images_total, wal_buffers_full as database_wal_buffers_full_total
      from pg_stat_wal`,
  }),
});
