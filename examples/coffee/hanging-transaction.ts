/** A back office with the preload: changes a row in a transaction, and keeps its locks until SIGTERM. */
import { once } from 'node:events';
import { trace } from '@opentelemetry/api';
import { Client } from 'pg';

const client = new Client({
  connectionString: process.env['DATABASE_URL'],
  application_name: 'siphon-demo-hanging',
});
// Stopping the database ends the transaction too, with an error on this connection.
client.on('error', () => undefined);
const ending = once(process, 'SIGTERM');

await trace.getTracer('back-office').startActiveSpan('edit variant', async (span) => {
  await client.connect();
  await client.query('begin');
  await client.query(`update variants set updated_at = now() where id = (select min(id::text)::uuid from variants)`);
  process.stderr.write('The row is locked\n');
  await ending;
  await client.query('rollback').catch(() => undefined);
  span.end();
});
await client.end().catch(() => undefined);
process.disconnect?.();
