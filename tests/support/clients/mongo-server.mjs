/** A server that speaks enough of MongoDB's protocol for its driver: it greets, finds nothing, and refuses to drop. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { BSON } from 'mongodb';

const OP_MSG = 2013;
const OP_REPLY = 1;

const answers = {
  find: ({ find, $db }) => ({ ok: 1, cursor: { id: 0n, ns: `${$db}.${find}`, firstBatch: [] } }),
  drop: () => ({ ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'no secret is told' }),
};

const greeting = {
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxWireVersion: 21,
  minWireVersion: 0,
};

export async function startMongoServer() {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 16 && received.length >= received.readInt32LE(0)) {
          const message = received.subarray(0, received.readInt32LE(0));
          received = received.subarray(message.length);
          socket.write(answerTo(message));
        }
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `mongodb://127.0.0.1:${server.address().port}/shop`, stop };
}

function answerTo(message) {
  const isMessage = message.readInt32LE(12) === OP_MSG;
  const command = isMessage ? BSON.deserialize(message.subarray(21)) : {};
  const [name] = Object.keys(command);
  const body = BSON.serialize(answers[name]?.(command) ?? greeting);
  // Flags and the kind of the section; or flags, cursor, start and number of documents.
  const prefix = isMessage ? Buffer.alloc(5) : Buffer.concat([Buffer.alloc(16), Buffer.from([1, 0, 0, 0])]);
  const header = Buffer.alloc(16);
  header.writeInt32LE(16 + prefix.length + body.length, 0);
  header.writeInt32LE(message.readInt32LE(4), 8);
  header.writeInt32LE(isMessage ? OP_MSG : OP_REPLY, 12);
  return Buffer.concat([header, prefix, body]);
}
