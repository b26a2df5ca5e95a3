import { promisify } from 'node:util';
import { credentials, makeGenericClientConstructor, Server, ServerCredentials, status } from '@grpc/grpc-js';

const serialize = (value) => Buffer.from(JSON.stringify(value));
const deserialize = (bytes) => JSON.parse(bytes.toString());
const method = (name, responseStream) => ({
  path: `/shop.Orders/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});
const definition = { get: method('Get', false), list: method('List', true), fail: method('Fail', false) };

export async function use() {
  const server = new Server();
  server.addService(definition, {
    get: ({ request }, callback) => callback(null, request),
    list: (call) => {
      call.write({ id: 1 });
      call.end();
    },
    fail: (_call, callback) => callback(Object.assign(new Error('no coffee'), { code: status.UNAVAILABLE })),
  });
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', ServerCredentials.createInsecure());
  const Client = makeGenericClientConstructor(definition, 'Orders');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  await promisify(client.get.bind(client))({ id: 'secret' });
  for await (const order of client.list({})) void order;
  await promisify(client.fail.bind(client))({}).catch(() => undefined);
  client.close();
  // Not a loopback address by its name, and not listed: its requests carry no headers.
  const stranger = new Client(`0.0.0.0:${port}`, credentials.createInsecure());
  await promisify(stranger.get.bind(stranger))({});
  stranger.close();
  await promisify(server.tryShutdown.bind(server))();
}
