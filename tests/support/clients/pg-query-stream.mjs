import { Client } from 'pg';
import QueryStream from 'pg-query-stream';

export async function use(url) {
  const client = new Client(url);
  await client.connect();
  for await (const row of client.query(new QueryStream("select generate_series(1, $1), 'secret' as it", [1000])))
    void row;
  await client
    .query(new QueryStream('select * from no_such_table'))
    .toArray()
    .catch(() => undefined);
  await client.query('select 1');
  await client.end();
}

export async function fail(url) {
  const client = new Client(url);
  await client.connect();
  void client.query('select * from no_such_table');
}
