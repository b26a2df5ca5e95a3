import { MongoClient } from 'mongodb';
import { startMongoServer } from './mongo-server.mjs';

export async function use() {
  const server = await startMongoServer();
  const client = new MongoClient(server.url, { directConnection: true });
  const orders = client.db().collection('orders');
  await orders.find({ name: 'secret' }).toArray();
  await orders.drop().catch(() => undefined);
  await client.close();
  server.stop();
}
