/** Histogram bounds in seconds, fit for what is timed. */

/** From a loopback answer to a store that is nearly dead. */
export const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;

/** From one step of a run to a run over a large catalogue. */
export const operationSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600] as const;

/** A run or job as a whole: few bounds, because every roaster has a series for each. */
export const jobSeconds = [1, 5, 15, 60, 300, 900, 1800, 3600] as const;

/** Bytes of a page or a JSON answer. */
export const bodyBytes = [10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000] as const;

/** A new price as a share of the one before: dense around 1, where most changes are. */
export const priceRatios = [0.5, 0.75, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 1.5, 2] as const;
