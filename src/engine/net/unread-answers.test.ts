import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { UnreadAnswers } from './unread-answers.ts';

/** Longer than what the buffers of a connection take. */
const BODY = 'x'.repeat(16 * 1024 * 1024);
const MAX_BYTES = 20 * 1024 * 1024;

it('has no room while readers leave too much unread, and makes room when they are slow or gone', async () => {
  const answers = new UnreadAnswers(MAX_BYTES);
  let refused = 0;
  const server = createServer((_request, response) => {
    if (!answers.hasRoom) {
      refused++;
      return void response.writeHead(503).end();
    }
    answers.send(response.writeHead(200), BODY);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    await answer.arrayBuffer();
    return answer.status;
  };
  const stall = async (requests: number): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
    socket.pause();
    return socket;
  };
  try {
    for (let i = 0; i < 5; i++) expect(await ask()).toBe(200);
    // The second answer waits for the first one.
    const first = await stall(2);
    await vi.waitFor(() => expect(answers.hasRoom).toBe(false));
    expect(await ask()).toBe(503);
    first.destroy();
    await vi.waitFor(() => expect(answers.hasRoom).toBe(true));
    expect(await ask()).toBe(200);

    const slow = await stall(2);
    await vi.waitFor(() => expect(answers.hasRoom).toBe(false));
    const later = performance.now() + 6000;
    const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
    expect(await ask()).toBe(200);
    clock.mockRestore();
    expect(refused).toBe(1);
    slow.destroy();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
