/** A broker that speaks enough of Kafka's protocol for kafkajs: it keeps the record batches of one partition per topic. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';

const OK = 0;
const NODE = 0;
const PARTITION = 0;

/** By the numbers of the protocol: the version that the broker speaks, and its answer to the body of a request. */
const apis = {
  // Produce
  0: { version: 3, answer: produce },
  // Fetch
  1: { version: 4, answer: fetch },
  // ListOffsets
  2: { version: 1, answer: listOffsets },
  // Metadata
  3: { version: 0, answer: metadata },
  // OffsetCommit
  8: { version: 2, answer: () => new Encoder().writeArray([]) },
  // OffsetFetch
  9: { version: 1, answer: offsetFetch },
  // FindCoordinator
  10: { version: 0, answer: (_body, { port }) => address(new Encoder().writeInt16(OK), port) },
  // JoinGroup
  11: { version: 0, answer: joinGroup },
  // Heartbeat
  12: { version: 0, answer: () => new Encoder().writeInt16(OK) },
  // LeaveGroup
  13: { version: 0, answer: () => new Encoder().writeInt16(OK) },
  // SyncGroup
  14: { version: 0, answer: syncGroup },
  // ApiVersions
  18: { version: 0, answer: apiVersions },
};

export async function startKafkaServer() {
  const sockets = new Set();
  /** The record batches of each topic, and the number of their records. */
  const topics = new Map();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    const broker = { port: socket.localPort, topics };
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
          const size = 4 + received.readInt32BE(0);
          socket.write(answerTo(received.subarray(4, size), broker));
          received = received.subarray(size);
        }
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { broker: `127.0.0.1:${server.address().port}`, stop };
}

function answerTo(request, broker) {
  const decoder = new Decoder(request);
  const key = decoder.readInt16();
  const version = decoder.readInt16();
  const correlation = decoder.readInt32();
  decoder.readString();
  const body = new Encoder().writeInt32(correlation).writeEncoder(apis[key].answer(decoder, broker, version));
  return Buffer.concat([new Encoder().writeInt32(body.size()).buffer, body.buffer]);
}

function apiVersions(_body, _broker, version) {
  const list = Object.entries(apis).map(([key, api]) =>
    new Encoder().writeInt16(Number(key)).writeInt16(0).writeInt16(api.version),
  );
  const answer = new Encoder().writeInt16(OK).writeArray(list);
  return version > 0 ? answer.writeInt32(0) : answer;
}

function address(encoder, port) {
  return encoder.writeInt32(NODE).writeString('127.0.0.1').writeInt32(port);
}

function metadata(body, { port }) {
  const topics = body.readArray((inner) => inner.readString());
  const partition = new Encoder()
    .writeInt16(OK)
    .writeInt32(PARTITION)
    .writeInt32(NODE)
    .writeArray([NODE], 'int32')
    .writeArray([NODE], 'int32');
  return new Encoder()
    .writeArray([address(new Encoder(), port)])
    .writeArray(topics.map((topic) => new Encoder().writeInt16(OK).writeString(topic).writeArray([partition])));
}

/** The places of a record batch: its first offset, and the number of its records. */
const BASE_OFFSET = 0;
const RECORD_COUNT = 57;

function produce(body, { topics }) {
  body.readString();
  body.readInt16();
  body.readInt32();
  const written = body.readArray((inner) => ({
    topic: inner.readString(),
    batches: inner.readArray((partition) => (partition.readInt32(), Buffer.from(partition.readBytes()))),
  }));
  const answers = written.map(({ topic, batches }) => {
    const kept = topics.get(topic) ?? { next: 0, batches: [] };
    topics.set(topic, kept);
    const base = kept.next;
    for (const batch of batches) {
      batch.writeBigInt64BE(BigInt(kept.next), BASE_OFFSET);
      kept.batches.push({ base: kept.next, batch });
      kept.next += batch.readInt32BE(RECORD_COUNT);
    }
    const partition = new Encoder().writeInt32(PARTITION).writeInt16(OK).writeInt64(base).writeInt64(-1);
    return new Encoder().writeString(topic).writeArray([partition]);
  });
  return new Encoder().writeArray(answers).writeInt32(0);
}

function fetch(body, { topics }) {
  for (let i = 0; i < 4; i += 1) body.readInt32();
  body.readInt8();
  const asked = readTopics(body, (partition) => {
    partition.readInt32();
    const offset = Number(partition.readInt64());
    partition.readInt32();
    return offset;
  });
  const answers = asked.map(({ topic, partitions: [offset] }) => {
    const { next, batches } = topics.get(topic) ?? { next: 0, batches: [] };
    const records = Buffer.concat(batches.filter(({ base }) => base >= offset).map(({ batch }) => batch));
    const partition = new Encoder().writeInt32(PARTITION).writeInt16(OK).writeInt64(next).writeInt64(next);
    return new Encoder().writeString(topic).writeArray([partition.writeArray([]).writeBytes(records)]);
  });
  return new Encoder().writeInt32(0).writeArray(answers);
}

function listOffsets(body) {
  body.readInt32();
  const asked = readTopics(body, (partition) => (partition.readInt32(), partition.readInt64()));
  const first = new Encoder().writeInt32(PARTITION).writeInt16(OK).writeInt64(-1).writeInt64(0);
  return new Encoder().writeArray(asked.map(({ topic }) => new Encoder().writeString(topic).writeArray([first])));
}

/** No group has an offset: each begins at the first record. */
function offsetFetch(body) {
  body.readString();
  const asked = readTopics(body, (partition) => partition.readInt32());
  const none = new Encoder().writeInt32(PARTITION).writeInt64(-1).writeString('').writeInt16(OK);
  return new Encoder().writeArray(asked.map(({ topic }) => new Encoder().writeString(topic).writeArray([none])));
}

function readTopics(body, readPartition) {
  return body.readArray((inner) => ({ topic: inner.readString(), partitions: inner.readArray(readPartition) }));
}

/** Each group has one member, which leads it. */
function joinGroup(body) {
  body.readString();
  body.readInt32();
  body.readString();
  body.readString();
  const [{ name, bytes }] = body.readArray((inner) => ({ name: inner.readString(), bytes: inner.readBytes() }));
  const member = new Encoder().writeString('member').writeBytes(bytes);
  return new Encoder()
    .writeInt16(OK)
    .writeInt32(1)
    .writeString(name)
    .writeString('member')
    .writeString('member')
    .writeArray([member]);
}

function syncGroup(body) {
  body.readString();
  body.readInt32();
  body.readString();
  const [assignment] = body.readArray((inner) => (inner.readString(), inner.readBytes()));
  return new Encoder().writeInt16(OK).writeBytes(assignment);
}
