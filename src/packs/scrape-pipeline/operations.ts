/**
 * The operations of a scraping pipeline. The keys are the identifiers that its operators use, and the values of the label
 * `operation`. The span of an operation is named `<key> <name>`.
 */
export const operations = {
  'A.1': { name: 'run', description: 'Book-keeping of one full scrape run' },
  'A.2': { name: 'fetch', description: 'Fetch the pages of a product source' },
  'A.3': { name: 'validate', description: 'Check fetched products against the schema' },
  'A.4': { name: 'write', description: 'Write coffees, variants and prices through RPC' },
  'A.5': { name: 'artifacts', description: 'Keep the raw artifacts of a run' },
  'B.1': { name: 'price fetch', description: 'Fetch prices and stock only' },
  'B.2': { name: 'price update', description: 'Write price and stock changes through RPC' },
  'B.3': { name: 'price monitoring', description: 'Look for spikes and stalled prices' },
} as const;

export type Operation = keyof typeof operations;

export const operationIds = Object.keys(operations) as readonly Operation[];
