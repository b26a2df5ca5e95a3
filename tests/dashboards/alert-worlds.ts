/** The contract of a world in which an alert is tested, and the labels of its series. */
import type { Severity } from '../../src/dashboards/rules/alert.ts';
import type { InputSeries } from '../support/prometheus/promtool.ts';

export interface AlertCase {
  /** Labels of the alert, besides name, severity and owner. */
  readonly labels: Readonly<Record<string, string>>;
  readonly world: (value: number) => readonly InputSeries[];
  /** Values that raise each severity and no other, and one that raises none. */
  readonly values: Readonly<Partial<Record<Severity, number>>> & { readonly fine: number };
  /** True if the alert is about a lasting state, not about events. */
  readonly isState: boolean;
  readonly withoutSeries: 'silent' | 'fires';
}

/** The world of an alert, and where it differs from what its threshold suggests. */
export type AlertWorld = Pick<AlertCase, 'labels' | 'world'> & Partial<AlertCase>;

export const service = { job: 'scraper', instance: '7f' };
export const poller = { job: 'siphon', instance: 'db_poller' };
export const sidecar = { job: 'siphon', instance: '127.0.0.1:8888' };
export const a = { roaster: 'a', platform: 'shopify' };
export const fetchOfA = { source: 'a', platform: 'shopify', ...service };
export const onSidecar = { receiver: 'db_poller', ...sidecar };
