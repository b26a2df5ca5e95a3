/** The names of the queries, for the configuration, which is read before anything else is loaded. */
export const scrapePipelineQueryNames = [
  'runs_running',
  'last_runs',
  'overdue',
  'roasters',
  'coffees',
  'review_rate',
  'variants',
  'variants_price_stale',
  'health',
] as const;
