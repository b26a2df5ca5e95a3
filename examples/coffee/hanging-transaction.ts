import { Client } from 'pg';

/** A transaction that has written, holds its locks, and does nothing more. Returns how to end it. */
export async function openHangingTransaction(databaseUrl: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'siphon-demo-hanging' });
  // The database may be stopped meanwhile, which ends the transaction too.
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  await client.query(`update variants set updated_at = now() where id = (select min(id::text)::uuid from variants)`);
  return async () => {
    await client.query('rollback').catch(() => undefined);
    await client.end();
  };
}
