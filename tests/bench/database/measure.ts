import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { PackQueries } from '../../../src/components/receivers/db-poller/query.ts';
import { postgresHealthDatabase } from '../../../src/packs/postgres-health/database.ts';
import { scrapePipelineDatabase } from '../../../src/packs/scrape-pipeline/database.ts';
import { runSql } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startWriter } from './writer.ts';
import { ObservedPoller, type ObservedPoll } from './observed-poller.ts';

export interface Durations {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface QueryDurations {
  /** Milliseconds from BEGIN to the last row, by query. */
  readonly byQuery: Readonly<Record<string, Durations>>;
  /** Polls that failed, by query and reason. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface Drain {
  readonly prices: number;
  readonly seconds: number;
  readonly polls: Durations;
}

export interface Place {
  /** For the poller, in the shipped role. */
  readonly pollerUrl: string;
  /** For all other connections. */
  readonly url: string;
}

/** 200 prices a second. A roaster's prices of a week arrive within minutes. */
const BUSY_TRANSACTIONS_PER_SECOND = 20;
/** Sequential, because concurrent queries would compete for two cores. */
const ONE_AFTER_THE_OTHER = { max_connections: 1, collection_interval: '100ms' };
const OFTEN = { collection_interval: '100ms' };
/** Slow queries run as often as the others. */
const BOTH_PACKS_OFTEN = {
  scrape_pipeline: { queries: often(scrapePipelineDatabase) },
  postgres_health: { queries: often(postgresHealthDatabase) },
};
/** The counter with the most expensive batches. */
const PRICES = 'scrape_pipeline.prices';
const DRAIN_TIMEOUT_MS = 180_000;

/** Repeats every query of both packs, with or without a busy writer. */
export async function measureQueries(
  { url, pollerUrl }: Place,
  { seconds, isBusy }: { seconds: number; isBusy: boolean },
): Promise<QueryDurations> {
  await using stack = new AsyncDisposableStack();
  if (isBusy) stack.use(await startWriter(url, BUSY_TRANSACTIONS_PER_SECOND));
  const poller = stack.use(
    await ObservedPoller.start({ datasource: pollerUrl, packs: BOTH_PACKS_OFTEN, ...ONE_AFTER_THE_OTHER }),
  );
  await sleep(seconds * 1000);
  return {
    byQuery: Object.fromEntries(
      [...Map.groupBy(poller.polls, ({ query }) => query)]
        // The first poll of a query connects, plans and reads uncached data.
        .map(([query, polls]) => [query, durations(polls.length > 1 ? polls.slice(1) : polls)] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
    failures: Object.fromEntries(poller.failures),
  };
}

/** Measures how the default configuration counts a burst of new prices from one transaction: one of each variant, at most. */
export async function measureDrain({ url, pollerUrl }: Place, most: number): Promise<Drain> {
  await using poller = await ObservedPoller.start({ datasource: pollerUrl, packs: { scrape_pipeline: {} } });
  await waitFor(() => pricePolls(poller).length > 0, { what: 'the first poll of prices' });
  const polledBefore = pricePolls(poller).length;
  const countedBefore = poller.total('prices.recorded') ?? 0;
  const [entered] = await runSql(
    url,
    `with entered as (
       insert into prices (variant_id, price, currency)
       select id, coalesce(price_current, 0) + 1, currency from variants limit $1 returning 1)
     select count(*)::int as prices from entered`,
    [most],
  );
  const prices = Number(entered!['prices']);
  const startedAt = performance.now();
  await waitFor(() => (poller.total('prices.recorded') ?? 0) - countedBefore >= prices, {
    what: `${prices} prices to be counted`,
    timeoutMs: DRAIN_TIMEOUT_MS,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return { prices, seconds, polls: durations(pricePolls(poller).slice(polledBefore)) };
}

/** Runs each statement `rounds` times, one after the other on one connection. */
export async function measureStatements(
  url: string,
  statements: Readonly<Record<string, string>>,
  rounds: number,
): Promise<Record<string, Durations>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const byName = Object.entries(statements).map(([name, text]) => ({ name, text, took: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      for (const { text, took } of byName) {
        const startedAt = performance.now();
        await client.query(text);
        took.push(performance.now() - startedAt);
      }
    }
    return Object.fromEntries(byName.map(({ name, took }) => [name, durationsOf(took)]));
  } finally {
    await client.end();
  }
}

function often({ names }: PackQueries): Record<string, typeof OFTEN> {
  return Object.fromEntries([...names.gauges, ...names.counters].map((name) => [name, OFTEN]));
}

function pricePolls(poller: ObservedPoller): ObservedPoll[] {
  return poller.polls.filter(({ query }) => query === PRICES);
}

function durations(polls: readonly ObservedPoll[]): Durations {
  return durationsOf(polls.map(({ durationMs }) => durationMs));
}

function durationsOf(took: readonly number[]): Durations {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}
