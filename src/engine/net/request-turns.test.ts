import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { serveInTurn } from './request-turns.ts';

/** A server that works for some milliseconds on each answer, as one does that renders a page. */
class BusyServer implements AsyncDisposable {
  served = 0;
  inWork = 0;
  mostInWork = 0;
  closed = 0;
  readonly #server = createServer((request, response) => {
    response.once('close', () => this.closed++);
    serveInTurn(request, response, () => void this.#serve(response));
  });

  static async start(): Promise<BusyServer> {
    const busy = new BusyServer();
    busy.#server.listen(0, '127.0.0.1');
    await once(busy.#server, 'listening');
    return busy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async connect(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async ask(): Promise<void> {
    await (await fetch(`http://127.0.0.1:${this.port}/`)).text();
  }

  async #serve(response: ServerResponse): Promise<void> {
    this.mostInWork = Math.max(this.mostInWork, ++this.inWork);
    const until = performance.now() + WORK_MS;
    while (performance.now() < until);
    await Promise.resolve();
    this.inWork--;
    this.served++;
    response.end(`answer ${this.served}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const WORK_MS = 5;
const PIPELINED = 90;
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

it('answers the requests of a connection in order, while others are served', async () => {
  await using server = await BusyServer.start();
  const socket = await server.connect();
  let answers = '';
  socket.on('data', (chunk) => (answers += String(chunk)));
  await server.ask();
  socket.write(GET.repeat(PIPELINED));
  await expect.poll(() => server.served, { interval: 1 }).toBeGreaterThan(2);
  await server.ask();
  expect(server.served).toBeLessThan(PIPELINED / 2);
  await expect.poll(() => answers.match(/answer \d+/g)?.length, { timeout: 5000 }).toBe(PIPELINED);
  const numbers = answers.match(/(?<=answer )\d+/g)!.map(Number);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(server.mostInWork).toBe(1);
  socket.destroy();
});

it('serves no requests of a connection that has ended, and closes all its responses', async () => {
  await using server = await BusyServer.start();
  const socket = await server.connect();
  socket.write(GET.repeat(PIPELINED));
  await expect.poll(() => server.served, { interval: 1 }).toBeGreaterThan(2);
  socket.destroy();
  await expect.poll(() => server.closed).toBe(PIPELINED);
  expect(server.served).toBeLessThan(PIPELINED / 2);
});

it('ends a connection with very many requests', async () => {
  await using server = await BusyServer.start();
  const socket = await server.connect();
  socket.resume().write(GET.repeat(2000));
  await once(socket, 'close');
  expect(server.served).toBeLessThan(PIPELINED);
});
