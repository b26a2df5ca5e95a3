import { isStoreFault, storeFaults } from './stores/store.ts';

/** Faults that can be switched on while the demo runs. */
export const faults = [...storeFaults, 'hanging_transaction', 'database_stopped', 'sidecar_killed'] as const;

export type Fault = (typeof faults)[number];

export function isFault(name: string): name is Fault {
  return (faults as readonly string[]).includes(name);
}

/** The key that switches each fault: 1 to 9, then a, b and so on. */
export function keyOf(fault: Fault): string {
  return (faults.indexOf(fault) + 1).toString(36);
}

export { isStoreFault };

/** The effect of each fault, and the metric that shows it. */
const effects: Readonly<Record<Fault, string>> = {
  store_down: 'shops drop every connection; watch fetch_errors_total',
  slow_store: 'responses take 2.5 s; watch fetch_latency_seconds',
  rate_limit_storm: 'every response is a 429; watch rate_limit_errors_total',
  price_spike: 'prices jump by 60 %; watch price_spike_alerts_total',
  invalid_products: 'products are broken; watch validation_errors_total',
  empty_feed: 'shops list no products; watch scrape_last_run_seen_ratio',
  half_feed: 'half of a feed; watch scrape_last_run_seen_ratio',
  sold_out: 'shops have sold everything; watch variants',
  hanging_transaction: 'a row is locked; siphon trace shows by whom',
  database_stopped: 'watch siphon_db_poller_errors on the telemetry port',
  sidecar_killed: 'scrapes fail; counting resumes after off',
};

/** One line that confirms a switch, of less than 80 characters. */
export function describeSwitch(fault: Fault, on: boolean): string {
  return on ? `${fault} is on: ${effects[fault]}` : `${fault} is off`;
}
