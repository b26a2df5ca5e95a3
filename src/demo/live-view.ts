import { askDatabase } from './check-arrival.ts';
import { ScrapePage } from './scrape-page.ts';
import type { Demo } from './start-demo.ts';

/** What there is to see right now, as lines. What cannot be read is shown as such. */
export async function liveView(demo: Demo): Promise<string[]> {
  const [page, truth] = await Promise.all([
    orUndefined(scrape(demo.ports.scrape)),
    orUndefined(askDatabase(demo.databaseUrl)),
  ]);
  const lastError = demo.runs.flatMap(({ errors }) => errors).at(-1);
  const reviewRates = truth?.reviewRates.map(({ slug, percent }) => `${slug} ${percent.toFixed(1)} %`).join(', ');
  return [
    `runs ${truth?.runs ?? '?'}   artifacts ${truth?.artifacts ?? '?'}   price changes ${page?.sum('price_changes_total') ?? '?'}`,
    `review rate ${reviewRates ?? '?'}`,
    `traces in the sink ${demo.sink.transactions().length}, errors ${demo.sink.errors().length}`,
    `last error ${lastError ?? 'none'}`,
    ...(page === undefined ? ['the scrape endpoint does not answer'] : []),
    ...(truth === undefined ? ['the database does not answer'] : []),
  ];
}

export async function scrape(port: number): Promise<ScrapePage> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (!response.ok) throw new Error(`the scrape endpoint answered ${response.status}`);
  return new ScrapePage(await response.text());
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  return await promise.catch(() => undefined);
}
