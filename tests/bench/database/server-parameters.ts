/** Durable, with the memory of a small server. All other parameters keep PostgreSQL's defaults. */
export const SERVER_PARAMETERS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '1GB',
  effective_cache_size: '3GB',
  max_wal_size: '4GB',
};
