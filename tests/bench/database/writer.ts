import { Client } from 'pg';

/** Each transaction is a run with five artifacts and ten prices. */
const writeUntilCancelled = (pauseSeconds: number): string => `
  do $$
  declare
    sources uuid[] := array(select id from product_sources);
    ids uuid[] := array(select id from variants order by random() limit 5000);
    run uuid;
  begin
    loop
      run := rpc_scrape_run_start(sources[1 + floor(random() * cardinality(sources))]);
      perform rpc_record_artifact(run, '/products.json', 200, (random() * 400000)::int) from generate_series(1, 5);
      perform rpc_insert_price(ids[1 + floor(random() * cardinality(ids))::int], 300 + floor(random() * 100)::int, 'INR', false)
      from generate_series(1, 10);
      perform rpc_scrape_run_finish(run, '{"job_type": "price_only"}', 'ok');
      commit;
      perform pg_sleep(${pauseSeconds});
    end loop;
  end $$`;

/** Writes inside the server until disposed of, which costs the measuring process no CPU time. */
export async function startWriter(url: string, transactionsPerSecond: number): Promise<AsyncDisposable> {
  const writer = new Client({ connectionString: url, application_name: 'bench-writer' });
  await writer.connect();
  const { rows } = await writer.query<{ pid: number }>('select pg_backend_pid() as pid');
  const ended = writer
    .query(writeUntilCancelled(1 / transactionsPerSecond))
    .catch((error: Error & { code?: string }) => {
      if (error.code !== QUERY_CANCELED) throw error;
    });
  ended.catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      const other = new Client({ connectionString: url });
      await other.connect();
      await other.query('select pg_cancel_backend($1)', [rows[0]?.pid]);
      await other.end();
      try {
        await ended;
      } finally {
        await writer.end();
      }
    },
  };
}

const QUERY_CANCELED = '57014';
