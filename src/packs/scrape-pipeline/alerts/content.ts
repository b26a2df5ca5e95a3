import { sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, ratio } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { inStock, seenVariants, stalePrices, wildPrices } from '../dashboards/expressions.ts';
import { latest, occurrences, occurrencesUpTo, overTime } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

/** Fewer variants make no meaningful share. */
const SOME = 10;

const hasVariants = compare(sum(latest('variants', { status: 'active' }), ['roaster']), '>=', SOME);

/** A run a day is the rarest that is compared. */
const BEFORE = '2d';
const wasInStock = compare(
  ratio(
    sum(overTime('max', 'variants', BEFORE, { in_stock: 'true', status: 'active' }), ['roaster']),
    sum(latest('variants', { status: 'active' }), ['roaster']),
  ),
  '>=',
  0.2,
);

/** Prices of a roaster may change for the first time, and all of them. */
const wild = wildPrices(['roaster'], {
  count: occurrences('1d'),
  upTo: (bound) => occurrencesUpTo('price_change_ratio', bound, '1d'),
});

const notPolled = 'If the database is not polled, PollerFailing fires.';

/** Alerts on what the pipeline has gathered, whatever its runs report about themselves. */
export const contentAlerts: readonly Alert[] = [
  alert({
    name: 'PricesStale',
    owner: 'pipeline',
    measured: stalePrices(),
    guard: hasVariants,
    raisedBy: { threshold: thresholds.stale_prices },
    for: '1h',
    keepFiringFor: '10m',
    summary: ({ roaster }) => `Prices of ${roaster} are no longer checked`,
    description: ({ roaster, value }, limit) =>
      `${value} of the active variants of ${roaster} have a price that was not checked in time (limit ${limit}).`,
    whenMissing: `Silent: the roaster has fewer than ten active variants, or its variants lack price_last_checked_at. ${notPolled}`,
    panel: { dashboard: 'siphon-prices', title: 'Backlog: stale prices' },
  }),
  alert({
    name: 'CatalogueShrunk',
    owner: 'pipeline',
    measured: seenVariants(),
    guard: hasVariants,
    raisedBy: { threshold: thresholds.seen_variants },
    // A run writes while the poller reads.
    for: '10m',
    keepFiringFor: '10m',
    summary: ({ roaster }) => `The last run of ${roaster} found too few products`,
    description: ({ roaster, value }, limit) =>
      `The last run of ${roaster} that did not fail saw only ${value} of its active variants (limit ${limit}).`,
    whenMissing: `Silent: the roaster has fewer than ten active variants, or no run that ended ok or partial. RunFailed reports failed runs. ${notPolled}`,
    panel: { dashboard: 'siphon-pipeline', title: 'Seen by the last run' },
  }),
  alert({
    name: 'StockGone',
    owner: 'pipeline',
    measured: inStock(['roaster']),
    guard: and(hasVariants, wasInStock),
    raisedBy: { threshold: thresholds.in_stock },
    for: '10m',
    keepFiringFor: '10m',
    summary: ({ roaster }) => `${roaster} is suddenly sold out`,
    description: ({ roaster, value }, limit) =>
      `Only ${value} of the active variants of ${roaster} are in stock (limit ${limit}); within the last two days it was 20% or more.`,
    whenMissing: `Silent: the roaster has fewer than ten active variants, or was sold out two days ago already. ${notPolled}`,
    panel: { dashboard: 'siphon-roaster', title: 'Side by side' },
  }),
  alert({
    name: 'WildPrices',
    owner: 'pipeline',
    measured: ratio(...wild),
    guard: compare(wild[0], '>=', 5),
    raisedBy: { threshold: thresholds.wild_changes },
    level: { warning: 'info' },
    for: '0m',
    keepFiringFor: '30m',
    summary: ({ roaster }) => `Prices of ${roaster} changed wildly`,
    description: ({ roaster, value }, limit) =>
      `${value} of the prices of ${roaster} that were compared within a day changed by more than a half (limit ${limit}).`,
    whenMissing: `Silent: no price was compared within a day, or fewer than five changed by more than a half. ${notPolled}`,
    panel: { dashboard: 'siphon-prices', title: 'Wild changes' },
  }),
];
