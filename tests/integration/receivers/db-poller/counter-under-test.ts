import { expect } from 'vitest';
import { waitFor } from '../../../support/wait-for.ts';
import type { MemoryExtension } from './memory-extension.ts';
import { PollerUnderTest } from './poller-under-test.ts';

export const RESTARTED = 'Counting started again: the counters restart at 0';

/** Polls with one query, `orders`. Resolves when everything that comes from now on will be counted. */
export async function counting(
  datasource: string,
  query: Record<string, unknown>,
  settings: Record<string, unknown> = {},
  extensions: Record<string, MemoryExtension> = {},
): Promise<PollerUnderTest> {
  const counter = { name: 'orders', kind: 'counter', metric_name: 'orders', ...query };
  const config = { datasource, queries: [counter], collection_interval: '50ms', ...settings };
  const poller = await PollerUnderTest.start(config, undefined, extensions);
  try {
    await anotherPoll(poller);
    return poller;
  } catch (error) {
    await poller[Symbol.asyncDispose]();
    throw error;
  }
}

async function anotherPoll(poller: PollerUnderTest): Promise<void> {
  const polled = async (): Promise<number | undefined> =>
    await poller.own('query_duration_seconds_count{query="orders"}');
  const last = await polled();
  await waitFor(async () => (await polled()) !== last, { what: 'a poll' }).catch((error: unknown) => {
    throw new Error(poller.logText, { cause: error });
  });
}

/** Resolves after the next two polls. */
export async function settled(poller: PollerUnderTest): Promise<void> {
  await anotherPoll(poller);
  await anotherPoll(poller);
}

export async function shows(
  poller: PollerUnderTest,
  value: number,
  { series = 'orders{}', timeoutMs = 20_000 }: { series?: string; timeoutMs?: number } = {},
): Promise<void> {
  await waitFor(() => poller.series.get(series) === value, { what: `${series} to be ${value}`, timeoutMs }).catch(
    () => undefined,
  );
  expect(poller.series.get(series)).toBe(value);
}

/** Waits like `shows`, and expects the same value after two more polls. */
export async function staysAt(poller: PollerUnderTest, value: number): Promise<void> {
  await shows(poller, value);
  await settled(poller);
  expect(poller.series.get('orders{}')).toBe(value);
}
