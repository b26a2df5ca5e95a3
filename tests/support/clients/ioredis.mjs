import { Redis } from 'ioredis';

export async function use(url) {
  const client = new Redis(url);
  await client.set('siphon:secret-key', 'secret-value');
  await client.get('siphon:secret-key');
  await client.call('NOSUCHCOMMAND').catch(() => undefined);
  await client.quit();
}

export async function fail(url) {
  const client = new Redis(url);
  await client.ping();
  void client.call('NOSUCHCOMMAND');
}
