/**
 * Histogram bounds. Each bound is a series for each roaster or query, so there are only those that thresholds and panels
 * need. The limits of alerts are bounds, so that a quantile is exact at the limit.
 */

/** Seconds of a request to a store, from immediate to almost unusable. */
export const requestSeconds = [0.25, 1, 5, 30, 60, 120] as const;

/** Seconds of an operation, from one step of a run to a run over a large catalogue. */
export const operationSeconds = [0.1, 0.5, 1, 5, 30, 120, 600, 3600] as const;

/** Seconds of a price job. */
export const jobSeconds = [1, 5, 15, 60, 300, 900, 1800, 3600] as const;

/** Seconds of a run, by roaster and status. Runs are rare, and their mean needs no bounds. */
export const runSeconds = [600, 3600] as const;

/** Bytes of an error page, and of a regular page or JSON response; larger ones are suspicious. */
export const bodyBytes = [10_000, 1_000_000] as const;

/** A new price as a share of the previous price: half, 10 % less, 10 % more, 50 % more. */
export const priceRatios = [0.5, 0.9, 1.1, 1.5] as const;
