/**
 * Histogram bounds. A series for each is kept for each roaster or query, so there are as few as the thresholds and the panels
 * need: limits of alerts are bounds, so that a quantile is exact where it decides.
 */

/** Seconds from an answer at once to a store that is nearly dead. */
export const requestSeconds = [0.25, 1, 5, 30, 60, 120] as const;

/** Seconds from one step of a run to a run over a large catalogue. */
export const operationSeconds = [0.1, 0.5, 1, 5, 30, 120, 600, 3600] as const;

/** Seconds of a price job. */
export const jobSeconds = [1, 5, 15, 60, 300, 900, 1800, 3600] as const;

/** Seconds of a run, by roaster and status: runs are rare, and their mean is exact without any bound. */
export const runSeconds = [600, 3600] as const;

/** Bytes of an error page, and of a page or a JSON answer; beyond is what is too large. */
export const bodyBytes = [10_000, 1_000_000] as const;

/** A new price as a share of the one before: halved, a tenth less, a tenth more, half as much again. */
export const priceRatios = [0.5, 0.9, 1.1, 1.5] as const;

/** Seconds of a request to anybody, whose host traces tell. */
export const callSeconds = [0.05, 0.25, 1, 5, 30, 60] as const;

/** Seconds of a garbage collection that nobody, somebody or everybody notices. */
export const pauseSeconds = [0.01, 0.1, 1] as const;

/** Seconds of a query of a poller, and of connecting for it: both limits are bounds, and one tells what is quick. */
export const pollSeconds = [0.025, 0.1, 1] as const;
