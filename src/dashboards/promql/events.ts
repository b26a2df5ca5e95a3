/**
 * Counts the events of counters. A process that ends before its second scrape leaves one sample. `increase` makes nothing of
 * it; here the first value of a counter counts where it is known to be from the window.
 */
import type { Metric } from '../../metrics/metric.ts';
import { before, firstValue, valueSince, type RangeSelector } from './first-value.ts';
import type { Duration, Node, Selector, Window } from './node.ts';
import { binary, call, selector, series, type AnyWhere, type Part, type Source } from './select.ts';
import type { Series } from './vector.ts';

/** For graphs: the events from one point to the next. */
export const STEP: Window = '$__rate_interval';

/** The events of a counter, or the observations of a histogram. */
export function eventsOf(source: Source, window: Window, where?: AnyWhere): Series {
  const { name, metric } = source;
  if (metric.kind !== 'histogram') return series(source, increaseOf(source, { window }, where), metric.unit);
  return series(source, increaseOf(source, { part: `${name}_count`, window }, where), '{observation}');
}

/** The same, including the first value of a counter of any source that was counted within the window. */
export function occurrencesOf(source: Source, window: Window, where?: AnyWhere): Series {
  const { name, metric } = source;
  const isHistogram = metric.kind === 'histogram';
  const counts = selector(source, where, { window, ...(isHistogram && { part: `${name}_count` }) });
  return series(source, fromBirth({ ...counts, window }), isHistogram ? '{observation}' : metric.unit);
}

/** The growth of a counter, or of the given series of a histogram. */
export function increaseOf(source: Source, part: Part & { readonly window: Window }, where?: AnyWhere): Node {
  const { window } = part;
  const counts = { ...selector(source, where, part), window };
  const isStep = window === STEP;
  const increase = isShownWhole(source, part) ? call('round', call('increase', counts)) : call('increase', counts);
  if (isOfProcess(source.metric)) return isStep ? growthFromBirth(counts) : fromBirth(counts, increase);
  if (isOfRows(source) && isStep) return rowsInStep(counts);
  if (isOfRows(source) && isOfPage(window)) return fromBirth(counts, increase);
  return isStep && isCountedExactly(source.metric) ? binary('or', growth(counts), increase) : increase;
}

/** The value of a series that was counted completely within the window, and the increase of the others. */
export function fromBirth(counts: RangeSelector, increase: Node = call('increase', counts)): Node {
  const first = firstValue(counts);
  return first === undefined ? increase : binary('or', first, increase);
}

/**
 * The difference to the value at the point before: exact, where `increase` extrapolates, and the steps of a graph add up to
 * the whole. Nothing where the counter is missing or less than before, because it has restarted.
 */
function growth(counts: RangeSelector): Node {
  const { window: _, ...now } = counts;
  return notNegative(binary('-', now, { ...now, offset: '$__interval' }));
}

/** The same for series that may last less than a step: a counter that is new, or less than before, has begun at 0. */
function growthFromBirth(counts: Selector): Node {
  const step: RangeSelector = { ...counts, window: '$__interval' };
  const now = call('last_over_time', step);
  return binary('or', notNegative(binary('-', now, before(step))), valueSince(step, now));
}

/** The same for counted rows: also what was counted during a gap, and since counting began or began again. */
function rowsInStep(counts: RangeSelector): Node {
  const { window: _, ...now } = counts;
  const known = call('last_over_time', { ...now, window: LONGEST_GAP, offset: '$__interval' });
  const sinceBeginning = valueSince({ ...now, window: '$__interval' }, now);
  return binary('or', notNegative(binary('-', now, known)), sinceBeginning);
}

function notNegative(of: Node): Node {
  return binary('>=', of, { type: 'number', value: 0 });
}

/** Longer gaps are rare, and a longer window would be read at each point of a graph. */
const LONGEST_GAP: Duration = '1h';

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
