/** How names are translated. The four strategies are the combinations of the first two fields. */
export interface Naming {
  /** Units and `_total`, `_ratio` are added to metric names. */
  readonly suffixes: boolean;
  /** Names keep all characters, and are quoted on the page if Prometheus requires it. */
  readonly utf8: boolean;
  /** Prefix of every metric name; empty for none. */
  readonly namespace: string;
}
