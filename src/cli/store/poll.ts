import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_FAILURE, EXIT_OK, type CommandContext, type CommandOptions } from '../command.ts';
import type { ListEnd } from '../../engine/stored-telemetry.ts';
import { StoreClient, StoreUnavailable, type Answering } from './store-client.ts';

const POLL_MS = 1000;

/** Runs a command against the store and prints why it is not available. @returns the exit code. */
export async function withStore(
  options: CommandOptions,
  context: CommandContext,
  run: (client: StoreClient) => Promise<void>,
  asked?: Answering,
): Promise<number> {
  let client: StoreClient | undefined;
  try {
    client = await StoreClient.of(options, context, asked);
    await run(client);
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    if (error.message !== '') context.printError(error.message);
    return EXIT_FAILURE;
  } finally {
    client?.close();
  }
}

/** A list of the store, with what continues it. */
export interface Page extends ListEnd {
  /** The parameter `after` of the next page. */
  readonly next: number;
}

/** Asks for the first page, and with `--follow` for all further ones. */
export async function* pagesOf<P extends Page>(
  isFollowing: boolean,
  ask: (after?: string) => Promise<P>,
): AsyncGenerator<P> {
  let page = await ask();
  yield page;
  if (!isFollowing) return;
  for (;;) {
    await sleep(POLL_MS);
    page = await ask(String(page.next));
    yield page;
  }
}
