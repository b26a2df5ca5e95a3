import type { ServerResponse } from 'node:http';

/** A reader that reads nothing for this time is disconnected. */
const STALLED_MS = 30_000;
/** The time limit of an answer. Prometheus waits for ten seconds by default, and never for longer than its interval. */
const MAX_ANSWER_MS = 60_000;

/** Disconnects a reader that accepts an answer too slowly. To be disposed when the answer is sent. */
export function limitReader(response: ServerResponse): Disposable {
  const { socket } = response.req;
  const limit = setTimeout(() => socket.destroy(), MAX_ANSWER_MS).unref();
  response.setTimeout(STALLED_MS, () => socket.destroy());
  return { [Symbol.dispose]: () => clearTimeout(limit) };
}
