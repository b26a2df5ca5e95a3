import { createClient } from 'redis';

export async function use(url) {
  const client = await createClient({ url }).connect();
  await client.set('siphon:secret-key', 'secret-value');
  await client.get('siphon:secret-key');
  await client.sendCommand(['NOSUCHCOMMAND']).catch(() => undefined);
  await client.close();
}

export async function fail(url) {
  const client = await createClient({ url }).connect();
  void client.sendCommand(['NOSUCHCOMMAND']);
}
