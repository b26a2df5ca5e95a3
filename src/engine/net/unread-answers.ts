import type { ServerResponse } from 'node:http';
import { limitReader } from './reader-limit.ts';

/** A reader that has not finished after this time is disconnected if another answer needs the memory. */
const SLOW_MS = 5000;

interface Unread {
  readonly response: ServerResponse;
  readonly bytes: number;
  readonly sinceMs: number;
}

/** The answers that wait for their readers. They are in memory until then, so that their size is limited together. */
export class UnreadAnswers {
  readonly #maxBytes: number;
  /** The oldest first. */
  readonly #unread = new Set<Unread>();
  #bytes = 0;

  /** @param maxBytes before the last answer, which may exceed it. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True if another answer may be made. Disconnects the readers that are slow if there is no room otherwise. */
  get hasRoom(): boolean {
    for (const answer of this.#unread) {
      if (this.#bytes < this.#maxBytes) break;
      if (performance.now() - answer.sinceMs < SLOW_MS) break;
      this.#forget(answer);
      answer.response.req.socket.destroy();
    }
    return this.#bytes < this.#maxBytes;
  }

  /** Ends the response with this body, after `writeHead`. */
  send(response: ServerResponse, body: string): void {
    const { socket } = response.req;
    if (socket.destroyed) return;
    const content = Buffer.from(body);
    const answer = { response, bytes: content.length, sinceMs: performance.now() };
    this.#unread.add(answer);
    this.#bytes += answer.bytes;
    const limit = limitReader(response);
    const done = (): void => {
      limit[Symbol.dispose]();
      socket.off('close', done);
      this.#forget(answer);
    };
    // A response behind others of its connection reports nothing when the connection ends.
    socket.once('close', done);
    response.once('finish', done).end(content);
  }

  #forget(answer: Unread): void {
    if (this.#unread.delete(answer)) this.#bytes -= answer.bytes;
  }
}
