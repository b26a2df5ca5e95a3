import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Clients that send requests before they have read the answers to earlier ones are rare, and send a few. */
const MAX_WAITING = 100;

interface Waiting {
  readonly response: ServerResponse;
  readonly serve: () => void;
}

const waiting = new WeakMap<Socket, Waiting[]>();

/**
 * Serves the requests of a connection one after the other, with turns of the event loop between them. HTTP/1.1 lets a
 * client send many before it reads an answer: Node reads a thousand of them together, and all other connections would wait
 * for their answers. Requests of a connection that has ended are not served. A connection with very many ends.
 */
export function serveInTurn({ socket }: IncomingMessage, response: ServerResponse, serve: () => void): void {
  const behind = waiting.get(socket);
  if (behind === undefined) {
    waiting.set(socket, []);
    begin(socket, { response, serve });
  } else if (behind.push({ response, serve }) > MAX_WAITING) socket.destroy();
}

function begin(socket: Socket, { response, serve }: Waiting): void {
  response.once('close', () => {
    if (waiting.get(socket)?.length === 0) waiting.delete(socket);
    else setImmediate(continueWith, socket);
  });
  serve();
}

function continueWith(socket: Socket): void {
  const behind = waiting.get(socket) ?? [];
  // Node closes only the first response of a connection that ends.
  if (socket.destroyed) for (const { response } of behind.splice(0)) response.emit('close');
  const next = behind.shift();
  if (next === undefined) waiting.delete(socket);
  else begin(socket, next);
}
