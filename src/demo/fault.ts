import { isStoreFault, storeFaults, type StoreFault } from './stores/store-fault.ts';

/** What can be made to go wrong while the demo runs. */
export const faults = [...storeFaults, 'hanging_transaction', 'database_stopped', 'sidecar_killed'] as const;

export type Fault = (typeof faults)[number];

export function isFault(name: string): name is Fault {
  return (faults as readonly string[]).includes(name);
}

export { isStoreFault, type StoreFault };

/** What happens while it is on, and where that is seen. */
const effects: Readonly<Record<Fault, string>> = {
  store_down: 'the shops drop every connection; watch fetch_errors_total{error_type="connection"}',
  slow_store: 'the shops take 2.5 s for an answer; watch fetch_latency_seconds',
  rate_limit_storm: 'the shops answer 429 to everything; watch rate_limit_errors_total',
  price_spike: 'prices jump by 60 %; watch price_spike_alerts_total',
  invalid_products: 'every second product is broken; watch validation_errors_total',
  hanging_transaction: 'a row stays locked; watch price_job_failures_total{error_type="database"}',
  database_stopped: 'PostgreSQL is shut down; watch siphon_db_poller_errors of the sidecar\u2019s own metrics',
  sidecar_killed: 'nobody answers scrapes, the pipeline goes on; what it counted is there after off',
};

/** One line that confirms a switch. */
export function describeSwitch(fault: Fault, on: boolean): string {
  return on ? `${fault} is on: ${effects[fault]}` : `${fault} is off`;
}
