import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryAnswer, TextView } from '../../../engine/query-apis.ts';

/** Each may leave a page of 4 MiB unread. */
export const MAX_FOLLOWERS = 8;
const POLL_MS = 1000;
/** A reader that has not read these bytes gets no more, and is disconnected if that lasts. */
const MAX_UNREAD_BYTES = 64 * 1024;
const STALLED_MS = 30_000;

export interface Followed {
  readonly text: TextView['text'];
  readonly page: NonNullable<TextView['page']>;
  readonly ask: (after: string) => Promise<QueryAnswer>;
  /** Ends the response. */
  readonly signal: AbortSignal;
}

/** Writes a list after `writeHead`, then what arrives, until the reader leaves. @param first the body of the first page. */
export async function followList(
  response: ServerResponse,
  first: string,
  { text, page, ask, signal }: Followed,
): Promise<void> {
  response.flushHeaders();
  const write = (body: string): string => {
    const answer: unknown = JSON.parse(body);
    const { after, isEmpty } = page(answer);
    if (!isEmpty) response.write(`${text(answer)}\n`);
    return after;
  };
  let after = write(first);
  while (await isReadyForMore(response, signal)) {
    const { status, body } = await ask(after);
    // A busy store answers the next time.
    if (status === 200) after = write(body);
  }
  response.end();
}

/** Resolves when it is time to ask again; to false when the reader has left, or reads nothing. */
async function isReadyForMore(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  const untilMs = performance.now() + STALLED_MS;
  do {
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    if (response.destroyed || signal.aborted) return false;
    if (response.writableLength < MAX_UNREAD_BYTES) return true;
  } while (performance.now() < untilMs);
  response.destroy();
  return false;
}
