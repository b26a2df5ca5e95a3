/** What the configuration may name, read before any of the packs is loaded. */
export const queryNames = {
  scrape_pipeline: [
    'runs_running',
    'last_runs',
    'overdue',
    'roasters',
    'coffees',
    'review_rate',
    'variants',
    'variants_price_stale',
    'health',
  ],
  postgres_health: ['activity', 'locks', 'statistics', 'size', 'tables'],
} as const;

/** The queries of a pack, each by its name. */
export type QueriesOf<Pack extends keyof typeof queryNames, Query> = Readonly<
  Record<(typeof queryNames)[Pack][number], Query>
>;

/** Those that count rows. */
export const exactQueryNames = {
  scrape_pipeline: ['runs', 'artifacts', 'prices', 'coffees_created', 'variants_created'],
} as const;

export type ExactQueriesOf<Pack extends keyof typeof exactQueryNames, Query> = Readonly<
  Record<(typeof exactQueryNames)[Pack][number], Query>
>;
