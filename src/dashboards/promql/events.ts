/**
 * Counts the events of counters. A process that ends before its second scrape leaves one sample. `increase` makes nothing of
 * it; here the first value of a counter counts.
 */
import type { Metric } from '../../metrics/metric.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import { serviceMetrics } from '../../metrics/service.ts';
import type { Duration, Milliseconds, Node, Selector, Window } from './node.ts';
import { binary, call, selector, series, type AnyWhere, type Part, type Source } from './select.ts';
import type { Series } from './vector.ts';

/** For graphs: the events from one point to the next. */
export const STEP: Window = '$__rate_interval';

/** A series that Prometheus has not seen for this long before is new. */
const BEFORE: Duration = '1d';
const BEFORE_MS = 86_400_000;

/** The events of a counter, or the observations of a histogram. */
export function eventsOf(source: Source, window: Window, where?: AnyWhere): Series {
  const { name, metric } = source;
  if (metric.kind !== 'histogram') return series(source, increaseOf(source, { window }, where), metric.unit);
  return series(source, increaseOf(source, { part: `${name}_count`, window }, where), '{observation}');
}

/** The same, including the first value of a counter of any source. */
export function occurrencesOf(source: Source, window: Window, where?: AnyWhere): Series {
  const { name, metric } = source;
  const isHistogram = metric.kind === 'histogram';
  const counts = selector(source, where, { window, ...(isHistogram && { part: `${name}_count` }) });
  return series(source, fromBirth(counts), isHistogram ? '{observation}' : metric.unit);
}

/** The growth of a counter, or of the given series of a histogram. */
export function increaseOf(source: Source, part: Part & { readonly window: Window }, where?: AnyWhere): Node {
  const counts = selector(source, where, part);
  const increase = isShownWhole(source, part) ? call('round', call('increase', counts)) : call('increase', counts);
  const isStep = part.window === STEP;
  if (isOfProcess(source.metric)) {
    return isStep ? growthFromBirth(counts) : binary('or', fromNewProcesses(newborn(counts), part.window), increase);
  }
  if (isOfRows(source) && isStep) return rowsInStep(counts);
  if (isOfRows(source) && isOfPage(part.window)) return binary('or', firstCounted(counts, part.window), increase);
  return isStep && isCountedExactly(source.metric) ? binary('or', growth(counts), increase) : increase;
}

/** The value of a series that is new in the window, and the increase of the others. */
export function fromBirth(counts: Selector): Node {
  return binary('or', newborn(counts), call('increase', counts));
}

/**
 * The difference to the value at the point before: exact, where `increase` extrapolates, and the steps of a graph add up to
 * the whole. Nothing where the counter is missing or less than before, because it has restarted.
 */
function growth(counts: Selector): Node {
  const { window: _, ...now } = counts;
  return notNegative(binary('-', now, { ...now, offset: '$__interval' }));
}

/** The same for series that may last less than a step: a counter that is new, or less than before, has begun at 0. */
function growthFromBirth(counts: Selector): Node {
  const step: Selector = { ...counts, window: '$__interval' };
  const now = call('last_over_time', step);
  return binary('or', notNegative(binary('-', now, before(step))), fromNewProcesses(now, '$__interval'));
}

function notNegative(of: Node): Node {
  return binary('>=', of, number(0));
}

/**
 * Without processes that had been running for long when Prometheus saw them first, because its data is younger: what they
 * counted before is not from this window.
 */
function fromNewProcesses(counts: Node, window: Window): Node {
  const lengthMs = LENGTHS_MS[window];
  if (lengthMs === undefined) return counts;
  const start = selector(PROCESS_START, {}, { window });
  const ageMs = binary('*', binary('-', call('time'), call('last_over_time', start)), number(1000));
  const isOld = binary('>', binary('-', ageMs, number(BEFORE_MS)), number(lengthMs));
  return unlessOf(counts, unlessOf(isOld, before(start)));
}

/** The same for counted rows: also what was counted during a gap, and since counting began or began again. */
function rowsInStep(counts: Selector): Node {
  const { window: _, ...now } = counts;
  const known = call('last_over_time', { ...now, window: LONGEST_GAP, offset: '$__interval' });
  const sinceBeginning = onNothing('and', now, countingBegan('$__interval'));
  return binary('or', notNegative(binary('-', now, known)), sinceBeginning);
}

/**
 * The value of a series of counted rows that is new in the window, if counting began in it and Prometheus came only then:
 * all of it was counted in the window. A restart within the window leaves it out, because then the series has begun twice.
 */
function firstCounted(counts: Selector, window: Window): Node {
  const { window: _, ...now } = counts;
  const known = call('last_over_time', { ...now, window: FIRST_SCRAPE, offset: window });
  const restarts = overAll('max', call('changes', selector(COUNTING_SINCE, {}, { window })));
  const beganOnce = onNothing('unless', countingBegan(window), binary('>', restarts, number(0)));
  return onNothing('and', binary('unless', now, known), beganOnce);
}

/** Something only if all counting began in the window, or so shortly before that no scrape was earlier. */
function countingBegan(window: Window): Node {
  const age = binary('-', call('time'), overAll('min', selector(COUNTING_SINCE)));
  const ageMs = binary('-', binary('*', age, number(1000)), number(FIRST_SCRAPE_MS));
  return binary('<=', ageMs, number(LENGTHS_MS[window] ?? 0));
}

/** The left side, or nothing: the sides have no labels in common. */
function onNothing(operator: 'and' | 'unless', left: Node, right: Node): Node {
  return { type: 'binary', operator, left, right, on: [] };
}

function overAll(operator: 'min' | 'max', of: Node): Node {
  return { type: 'aggregation', operator, by: [], of };
}

/** When a poller began to count rows. Expressions that count rows read it. */
export const COUNTING_SINCE: Source = {
  name: 'siphon_db_poller_counting_since_timestamp_seconds',
  metric: sidecarMetrics.siphon_db_poller_counting_since_timestamp_seconds,
};

/** Longer gaps are rare, and a longer window would be read at each point of a graph. */
const LONGEST_GAP: Duration = '1h';

/** The longest time from the start of counting to the first scrape. */
const FIRST_SCRAPE: Duration = '5m';
const FIRST_SCRAPE_MS = 300_000;

/** When a process began. Every expression that counts the events of processes reads it, and every process sends it. */
export const PROCESS_START: Source = {
  name: 'service_start_timestamp_seconds',
  metric: serviceMetrics.service_start_timestamp_seconds,
};

const LENGTHS_MS: Readonly<Partial<Record<Window, Milliseconds>>> = {
  $__interval: '$__interval_ms',
  $__range: '$__range_ms',
};

function unlessOf(left: Node, right: Node): Node {
  return { type: 'binary', operator: 'unless', left, right, on: ['job', 'instance'] };
}

function number(value: number | Milliseconds): Node {
  return { type: 'number', value };
}

function newborn(counts: Selector): Node {
  return binary('unless', call('last_over_time', counts), before(counts));
}

function before({ window, ...counts }: Selector): Node {
  return call('last_over_time', { ...counts, window: BEFORE, ...(window !== undefined && { offset: window }) });
}

/** The sidecar's own counters have many series and grow all the time, and seconds and bytes are not events. */
function isCountedExactly({ source, kind, unit }: Metric): boolean {
  return source !== 'sidecar' && (kind === 'histogram' || isCount(unit));
}

function isOfPage(window: Window | undefined): boolean {
  return window?.startsWith('$') === true;
}

function isOfRows({ metric: { kind, countsRows } }: Source): boolean {
  return kind !== 'gauge' && countsRows === true;
}

/** Counters of a process are new with it. The others continue, and may be old when Prometheus sees them first. */
function isOfProcess({ source }: Metric): boolean {
  return source === 'sdk' || source === 'runtime';
}

/** Events are not halves, so panels do not show how `increase` extrapolates them. Seconds and bytes are not events. */
function isShownWhole({ name, metric }: Source, { part = name, window }: Part): boolean {
  if (!isOfPage(window)) return false;
  return metric.kind === 'histogram' ? !part.endsWith('_sum') : isCount(metric.unit);
}

function isCount(unit: string): boolean {
  return /^\{\w+\}$/.test(unit);
}
