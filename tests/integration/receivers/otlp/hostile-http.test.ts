import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as snappy from 'snappyjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WireWriter } from '../../../../src/engine/otlp/wire-writer.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const MAX_BYTES = 100_000;
const spans = spansBatch(['a', 'b']).chunks[0] as Uint8Array;
const bomb = new Uint8Array(50_000_000);
let receiver: ReceiverUnderTest;
const sockets: Socket[] = [];

beforeEach(async () => {
  receiver = await ReceiverUnderTest.start({
    http: { max_request_body_size: MAX_BYTES, read_header_timeout: '1s', read_timeout: '2s' },
  });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await receiver[Symbol.asyncDispose]();
});

/** Everything that the receiver sends on a connection, until either side closes it. */
class Connection {
  text = '';
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor() {
    const [host = '', port = ''] = receiver.endpoint('http').split(':');
    this.socket = connect(Number(port), host);
    this.socket.on('data', (data: Buffer) => (this.text += data.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.closed = once(this.socket, 'close');
    sockets.push(this.socket);
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  }

  async untilAnswers(count: number): Promise<number[]> {
    await waitFor(() => this.statuses.length >= count, { timeoutMs: 5000, what: `${count} answers in ${this.text}` });
    return this.statuses;
  }
}

function head(fields: Record<string, string | number>, path = '/v1/traces'): string {
  const lines = Object.entries({ Host: 'x', 'Content-Type': 'application/x-protobuf', ...fields });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

const whole = (body = spans, path?: string): Buffer =>
  Buffer.concat([Buffer.from(head({ 'Content-Length': body.length }, path)), body]);

function post(body: Uint8Array, headers: Record<string, string> = {}): Promise<number> {
  const type = { 'content-type': 'application/x-protobuf' };
  return fetch(`${receiver.httpUrl}/v1/traces`, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { ...type, ...headers },
  }).then(({ status }) => status);
}

describe('senders that are too slow', () => {
  it('cuts off headers that do not end', async () => {
    const connection = new Connection();
    connection.socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\n');
    await connection.closed;
    expect(connection.statuses).toEqual([408]);
  });

  it('cuts off a body that does not end, and counts it', async () => {
    const connection = new Connection();
    connection.socket.write(head({ 'Content-Length': 1000 }));
    connection.socket.write(spans);
    await connection.closed;
    expect(connection.statuses).toEqual([408]);
    expect(await receiver.rejected()).toEqual({ 'http/aborted': 1 });
  });

  it('counts a sender that disconnects while it sends, and continues', async () => {
    const connection = new Connection();
    connection.socket.write(head({ 'Content-Length': 1000 }));
    connection.socket.write(spans);
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.socket.resetAndDestroy();
    await waitFor(async () => (await receiver.rejected())['http/aborted'] === 1, { what: 'the count' });
    expect(await post(spans)).toBe(200);
  });
});

describe('bodies that are too large', () => {
  it.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
    ['snappy', snappy.compress(bomb.subarray(0, 2_000_000))],
  ])('refuses 100 simultaneous bombs in %s without decompressing them', async (encoding, body) => {
    const before = process.memoryUsage().rss;
    const statuses = await Promise.all(Array.from({ length: 100 }, () => post(body, { 'content-encoding': encoding })));
    expect(new Set(statuses)).toEqual(new Set([413]));
    expect(await receiver.rejected()).toEqual({ 'http/too_large': 100 });
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
  });

  it('reads a body that is a little too large before it answers, and keeps the connection', async () => {
    const connection = new Connection();
    connection.socket.write(whole(new Uint8Array(MAX_BYTES + 1)));
    connection.socket.write(whole());
    expect(await connection.untilAnswers(2)).toEqual([413, 200]);
  });

  it('does not wait for the end of a body that is far too large', async () => {
    const connection = new Connection();
    connection.socket.write(head({ 'Content-Length': MAX_BYTES * 10 }));
    await connection.closed;
    expect(connection.statuses).toEqual([413]);
  });

  it('refuses chunks without end', async () => {
    const connection = new Connection();
    connection.socket.write(head({ 'Transfer-Encoding': 'chunked' }));
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    while (!connection.socket.destroyed && connection.text === '') {
      connection.socket.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await connection.closed;
    expect(connection.statuses).toEqual([413]);
    expect(await receiver.rejected()).toEqual({ 'http/too_large': 1 });
  });
});

describe('connections', () => {
  it.each([
    ['another path', whole(spans, '/v1/nothing'), 404],
    ['another media type', Buffer.from(head({ 'Content-Type': 'text/plain', 'Content-Length': 3 }) + 'abc'), 415],
    ['another encoding', Buffer.from(head({ 'Content-Encoding': 'br', 'Content-Length': 3 }) + 'abc'), 400],
    ['a malformed body', whole(spans.subarray(0, -1)), 400],
  ])('are kept after the refusal of %s', async (_, bytes, status) => {
    const connection = new Connection();
    connection.socket.write(bytes);
    await connection.untilAnswers(1);
    connection.socket.write(whole());
    expect(await connection.untilAnswers(2)).toEqual([status, 200]);
  });

  it('may carry requests without waiting for the answers', async () => {
    const connection = new Connection();
    connection.socket.write(Buffer.concat(Array.from({ length: 50 }, () => whole())));
    expect(await connection.untilAnswers(50)).toEqual(Array<number>(50).fill(200));
    expect(receiver.batches).toHaveLength(50);
  });

  it.each([
    ['two lengths', head({ 'Content-Length': 3, 'content-length': 4 }) + 'abcd'],
    ['a length and chunks', `${head({ 'Content-Length': 3, 'Transfer-Encoding': 'chunked' })}0\r\n\r\n`],
    ['a length that is not a number', head({ 'Content-Length': 'x' })],
    ['a chunk that is longer than its header claims', `${head({ 'Transfer-Encoding': 'chunked' })}2\r\nabcdef\r\n`],
  ])('are closed at %s', async (_, text) => {
    const connection = new Connection();
    connection.socket.write(text);
    await connection.closed;
    expect(connection.statuses).toEqual([400]);
    expect(receiver.batches).toEqual([]);
    expect(await post(spans)).toBe(200);
  });
});

it('takes an attribute key of 1 MB, and the same bytes come out', async () => {
  await using large = await ReceiverUnderTest.start();
  const writer = new WireWriter();
  const attribute = (): void => writer.messageField(1, () => writer.stringField(1, 'k'.repeat(1e6)));
  writer.messageField(1, () => {
    writer.messageField(1, attribute);
    writer.messageField(2, () => writer.messageField(2, () => writer.stringField(5, 'a')));
  });
  const answer = httpRequest(`${large.httpUrl}/v1/traces`, {
    method: 'POST',
    agent: new Agent(),
    headers: { 'content-type': 'application/x-protobuf' },
  });
  answer.end(writer.finish());
  const [response] = (await once(answer, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(200);
  expect(large.batches.map(({ chunks }) => Buffer.compare(Buffer.concat(chunks), writer.finish()))).toEqual([0]);
});

it.each([200, 20_000])('refuses JSON nested %i deep', async (depth) => {
  const value = '{"arrayValue":{"values":['.repeat(depth) + ']}}'.repeat(depth);
  await using large = await ReceiverUnderTest.start();
  const body = `{"resourceSpans":[{"resource":{"attributes":[{"value":${value}}]}}]}`;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${large.httpUrl}/v1/traces`, { method: 'POST', body, headers });
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('is nested deeper')]);
});
