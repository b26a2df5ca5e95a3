/** How names are translated: the four strategies are the combinations of two decisions. */
export interface Naming {
  /** Units and `_total`, `_ratio` are added to metric names. */
  readonly suffixes: boolean;
  /** Names pass through as they are, quoted on the page where Prometheus needs it. */
  readonly utf8: boolean;
  /** Put before every metric name; empty for none. */
  readonly namespace: string;
}
