import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { closeBusyConnections, ConnectionLimit } from './connection-limit.ts';
import { MemoryRelief, type Pressure } from './memory-relief.ts';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 256 * MIB;

let port: number;
let server: ReturnType<typeof createServer>;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  server = createServer((request, response) => {
    limit.requested(request.socket, response);
    if (request.url === '/answered') response.end('done');
  });
  const limit = new ConnectionLimit(server, 100, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await once(server.close(), 'close');
});

it('closes connections with unfinished requests, responses or headers, and leaves the idle ones', async () => {
  const idle = await send('');
  const answered = await send('GET /answered HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(answered, 'data');
  const waiting = await send('GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n');
  const uploading = await send('POST /waiting HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
  const endless = await send(`GET / HTTP/1.1\r\nx: ${'a'.repeat(5000)}`);
  let closed = 0;
  await expect.poll(() => (closed += closeBusyConnections())).toBe(3);
  await expect.poll(() => [waiting, uploading, endless].every((socket) => socket.closed)).toBe(true);
  expect([idle.destroyed, answered.destroyed]).toEqual([false, false]);
});

it('acts only near the limit, and collects the garbage of the connections afterwards', async () => {
  const pressure = new PlannedPressure();
  using relief = new MemoryRelief(LIMIT_BYTES, pino({ level: 'silent' }), pressure);
  pressure.mebibytes = 150;
  relief.check();
  expect(pressure.closings).toBe(0);
  pressure.mebibytes = 200;
  relief.check();
  await expect.poll(() => pressure.collections).toBe(1);
  expect(pressure.closings).toBeGreaterThan(0);
});

it('serves again although freed memory stays resident', async () => {
  const pressure = new PlannedPressure();
  using relief = new MemoryRelief(LIMIT_BYTES, pino({ level: 'silent' }), pressure);
  pressure.mebibytes = 200;
  relief.check();
  await expect.poll(() => pressure.collections).toBe(1);
  const before = pressure.closings;
  relief.check();
  expect(pressure.closings).toBe(before);
  pressure.mebibytes = 215;
  relief.check();
  expect(pressure.closings).toBe(before + 1);
  // Much lower for once: the usual threshold applies again.
  pressure.mebibytes = 100;
  relief.check();
  pressure.mebibytes = 195;
  relief.check();
  expect(pressure.closings).toBe(before + 2);
});

it('measures the memory of this process in a container', () => {
  const relief = MemoryRelief.start(pino({ level: 'silent' }), LIMIT_BYTES);
  expect(relief === undefined).toBe(process.platform !== 'linux');
  relief?.[Symbol.dispose]();
  expect(MemoryRelief.start(pino({ level: 'silent' }), 0)).toBeUndefined();
});

class PlannedPressure implements Pressure {
  mebibytes = 0;
  closings = 0;
  collections = 0;
  residentBytes = (): number => this.mebibytes * MIB;
  closeConnections = (): number => {
    this.closings++;
    return 0;
  };
  collectGarbage = (): void => {
    this.collections++;
  };
}

async function send(text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return socket;
}
