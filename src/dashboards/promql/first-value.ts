/**
 * Which first values of counters were counted within a window. Prometheus, or the history of a sidecar, may have begun, or
 * have been away, long after the counter did: what it had by then is not from the window. It counts only where its birth is
 * known.
 */
import type { MetricSource } from '../../metrics/metric.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import { serviceMetrics } from '../../metrics/service.ts';
import { secondsOf } from './duration.ts';
import type { Duration, Milliseconds, Node, Selector, Window } from './node.ts';
import { binary, call, selector, type Source } from './select.ts';

/** The values of new series that were counted completely within the window; undefined if that is never known. */
export function firstValue(counts: RangeSelector): Node | undefined {
  const { metric, window } = counts;
  if (metric.countsRows === true) return onNothing('and', newRows(counts), countingBeganOnce(window));
  const process = PROCESSES[metric.source];
  return process && binary('and', newborn(counts), isWhole(counts, process));
}

/** The values at a point of a graph that were counted completely since the point before, of series that may be older. */
export function valueSince(counts: RangeSelector, now: Node): Node {
  const { metric, window } = counts;
  if (metric.countsRows === true) return onNothing('and', now, countingBegan(window));
  return binary('and', now, isWhole(counts, SERVICE));
}

/** A selector with a window. */
export type RangeSelector = Selector & { readonly window: Window };

/** When a process began. Expressions that count the events of processes read it, and every process with siphon's SDK sends it. */
export const PROCESS_START: Source = {
  name: 'service_start_timestamp_seconds',
  metric: serviceMetrics.service_start_timestamp_seconds,
};

/** When a poller began to count rows. Expressions that count rows read it. */
export const COUNTING_SINCE: Source = {
  name: 'siphon_db_poller_counting_since_timestamp_seconds',
  metric: sidecarMetrics.siphon_db_poller_counting_since_timestamp_seconds,
};

const UPTIME: Source = { name: 'otelcol_process_uptime', metric: sidecarMetrics.otelcol_process_uptime };

/** A series that Prometheus has not seen for this long before the window is new. */
const BEFORE: Duration = '1d';

/** The longest time from the birth of a series to its first scrape. */
const FIRST_SCRAPE: Duration = '5m';
const FIRST_SCRAPE_MS = 300_000;

export function before({ window, ...counts }: RangeSelector): Node {
  return call('last_over_time', { ...counts, window: BEFORE, offset: window });
}

function newborn(counts: RangeSelector): Node {
  return binary('unless', call('last_over_time', counts), before(counts));
}

/** A series that comes with each scrape of a process, and the age of that process in seconds. */
interface Process {
  readonly source: Source;
  readonly ageS: (latest: Node) => Node;
}

const SERVICE: Process = { source: PROCESS_START, ageS: (start) => binary('-', call('time'), start) };
const SIDECAR: Process = { source: UPTIME, ageS: (uptime) => uptime };

/** Processes that count themselves. A database continues when they end. */
const PROCESSES: Readonly<Partial<Record<MetricSource, Process>>> = {
  sdk: SERVICE,
  runtime: SERVICE,
  sidecar: SIDECAR,
};

/**
 * Something for each series that its process had less often than itself: the process was seen without it, or, which counts
 * as once more, it was seen before the window or began in it.
 */
function isWhole(counts: RangeSelector, process: Process): Node {
  return {
    type: 'binary',
    operator: '<',
    left: call('count_over_time', counts),
    right: { type: 'aggregation', operator: 'max', by: ['job', 'instance'], of: sightings(process, counts.window) },
    on: ['job', 'instance'],
    groupLeft: true,
  };
}

function sightings({ source, ageS }: Process, window: Window): Node {
  const seen = selector(source, {}, { window });
  const began = isWithin(ageS(call('last_over_time', seen)), window);
  const known = binary('or', began, call('last_over_time', { ...seen, window: FIRST_SCRAPE, offset: window }));
  const often = call('count_over_time', seen);
  return binary('or', binary('and', binary('+', often, number(1)), known), often);
}

function newRows({ window, ...now }: RangeSelector): Node {
  return binary('unless', now, call('last_over_time', { ...now, window: FIRST_SCRAPE, offset: window }));
}

/** Something only if all counting began in the window. After a restart within it, a series may have begun twice. */
function countingBeganOnce(window: Window): Node {
  const restarts = overAll('max', call('changes', selector(COUNTING_SINCE, {}, { window })));
  return onNothing('unless', countingBegan(window), binary('>', restarts, number(0)));
}

function countingBegan(window: Window): Node {
  return isWithin(binary('-', call('time'), overAll('min', selector(COUNTING_SINCE))), window);
}

/** Something where the age is at most that of the window, or a little more, so that no scrape was before it. */
function isWithin(ageS: Node, window: Window): Node {
  const ageMs = binary('-', binary('*', ageS, number(1000)), number(FIRST_SCRAPE_MS));
  return binary('<=', ageMs, number(lengthOf(window)));
}

function lengthOf(window: Window): number | Milliseconds {
  if (window === '$__range') return '$__range_ms';
  return window.startsWith('$') ? '$__interval_ms' : (secondsOf(window) ?? 0) * 1000;
}

/** The left side, or nothing: the sides have no labels in common. */
function onNothing(operator: 'and' | 'unless', left: Node, right: Node): Node {
  return { type: 'binary', operator, left, right, on: [] };
}

function overAll(operator: 'min' | 'max', of: Node): Node {
  return { type: 'aggregation', operator, by: [], of };
}

function number(value: number | Milliseconds): Node {
  return { type: 'number', value };
}
