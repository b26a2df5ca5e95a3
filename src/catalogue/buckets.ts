/** Histogram bounds in seconds, fit for what is timed. */

/** From a loopback answer to a store that is nearly dead. */
export const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;

/** From one RPC to a run over a large catalogue. */
export const jobSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600] as const;

/** Bytes of a page or a JSON answer. */
export const bodyBytes = [1_000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 20_000_000] as const;

/** A new price as a share of the one before: dense around 1, where most changes are. */
export const priceRatios = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1, 1.01, 1.05, 1.1, 1.25, 1.5, 2, 4] as const;
