import { isStoreFault, storeFaults } from './stores/store-fault.ts';

/** What can be made to go wrong while the demo runs. */
export const faults = [...storeFaults, 'hanging_transaction', 'database_stopped', 'sidecar_killed'] as const;

export type Fault = (typeof faults)[number];

export function isFault(name: string): name is Fault {
  return (faults as readonly string[]).includes(name);
}

export { isStoreFault };

/** What happens while it is on, and where that is seen. */
const effects: Readonly<Record<Fault, string>> = {
  store_down: 'no shop takes a connection; watch fetch_errors_total',
  slow_store: 'each answer takes 2.5 s; watch fetch_latency_seconds',
  rate_limit_storm: 'every answer is a 429; watch rate_limit_errors_total',
  price_spike: 'prices jump by 60 %; watch price_spike_alerts_total',
  invalid_products: 'products are broken; watch validation_errors_total',
  hanging_transaction: 'a row is locked; watch price_job_failures_total',
  database_stopped: 'watch siphon_db_poller_errors of its own metrics',
  sidecar_killed: 'no scrape is answered; what is counted comes after off',
};

/** One line that confirms a switch, of less than 80 characters. */
export function describeSwitch(fault: Fault, on: boolean): string {
  return on ? `${fault} is on: ${effects[fault]}` : `${fault} is off`;
}
