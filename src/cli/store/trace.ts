import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../command.ts';
import { withStore } from './poll.ts';
import { STORE_OPTIONS, StoreUnavailable, type StoreClient } from './store-client.ts';
import type { Trace } from '../../engine/stored-telemetry.ts';
import { jsonText } from '../../engine/json-text.ts';
import { waterfall } from '../../console/text/waterfall.ts';

const POLL_MS = 1000;

export const trace: Command = {
  summary: 'show a trace of a running sidecar: its spans, errors and log lines',
  argument: 'ID',
  optionLines: [
    'ID                           the id of the trace, or at least four of its first digits',
    '--follow                     print the trace again whenever more of it has arrived',
    ...STORE_OPTIONS,
  ],
  takes: ['url'],
  flags: ['json', 'follow'],
  example: 'siphon trace 0af7651916cd43dd8448eb211c80319c',
  exitsOneIf: 'if the trace is not in the store, or no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    const { argument = '', flags } = options;
    return await withStore(options, context, async (client) => {
      for await (const found of flags.has('follow') ? changes(client, argument) : [await traceOf(client, argument)]) {
        if (flags.has('json')) context.print(jsonText(found));
        else context.print([...waterfall(found, context)].join('\n'));
      }
    });
  },
};

async function traceOf(client: StoreClient, id: string): Promise<Trace> {
  return await client.ask<Trace>(`/api/traces/${encodeURIComponent(id)}`);
}

/** Yields the trace when it has changed. It may not have arrived yet. */
async function* changes(client: StoreClient, id: string): AsyncGenerator<Trace> {
  let known = '';
  for (;;) {
    const found = await traceOf(client, id).catch((error: unknown) => {
      if (error instanceof StoreUnavailable && error.isAbsent) return undefined;
      throw error;
    });
    const counts = `${found?.spanCount} ${found?.logCount}`;
    if (found !== undefined && counts !== known) yield found;
    known = counts;
    await sleep(POLL_MS);
  }
}
