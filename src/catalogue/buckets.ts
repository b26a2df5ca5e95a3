/** Histogram bounds in seconds, fit for what is timed. */

/** From a loopback answer to a store that is nearly dead. */
export const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;

/** From one RPC to a run over a large catalogue. */
export const jobSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600] as const;
