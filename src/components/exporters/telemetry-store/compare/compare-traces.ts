import type { Segment } from '../memory/segment.ts';
import { Properties, type Property } from './properties.ts';
import {
  chanceOfRise,
  chanceOfShare,
  differenceOfRises,
  differenceOfShares,
  significant,
  type Chance,
  type Difference,
  type Rise,
  type Share,
} from './significance.ts';
import { GROUPS, isRise, TraceGroups, type GroupCounts, type GroupCriteria } from './trace-groups.ts';

/** The properties that selected traces have in common, and the traces around them do not. */
export interface TraceComparison {
  /**
   * `share`: how many traces of each group have a property. `rise`: how many traces with a property are slow, failed or
   * fitting, within the time and outside of it; what rose for all others, too, does not count.
   */
  readonly compares: 'share' | 'rise';
  readonly selectedTraces: number;
  readonly aroundTraces: number;
  /** How many properties occur often enough to compare. */
  readonly tested: number;
  /** Properties that were not counted, because there are too many. */
  readonly left: number;
  /** The largest difference first. Empty if nothing differs. */
  readonly differences: readonly TraceDifference[];
}

/** A property that distinguishes the selected traces. */
export interface TraceDifference extends Difference {
  /** The name of an attribute of a span or its resource; undefined for the name of a span. */
  readonly attribute: string | undefined;
  readonly value: string;
  readonly selected: Share;
  readonly around: Share;
}

/**
 * Compares the attributes and names of all spans in the selected traces with those in the traces around them. It counts
 * traces and not spans, because the spans of one trace have much in common. Each count is exact.
 */
export function* compareTraces(
  segments: readonly Segment[],
  criteria: GroupCriteria,
): Generator<undefined, TraceComparison> {
  const groups = yield* TraceGroups.of(segments, criteria);
  const properties = new Properties();
  yield* properties.count(groups);
  const totals = groups.totals();
  const common: Property[] = [];
  for (const property of properties.common(LEAST_SELECTED)) {
    common.push(property);
    yield;
  }
  const { found, tested } = yield* isRise(criteria) ? risen(common, totals) : moreCommon(common, totals);
  return {
    compares: isRise(criteria) ? 'rise' : 'share',
    selectedTraces: totals.selected,
    aroundTraces: totals.around,
    tested,
    left: properties.left,
    differences: found.toSorted((a, b) => b.difference - a.difference || b.selected.count - a.selected.count),
  };
}

/** One or two traces do not show a pattern. */
const LEAST_SELECTED = 3;

interface Found {
  readonly found: readonly TraceDifference[];
  readonly tested: number;
}

function* moreCommon(all: readonly Property[], totals: GroupCounts): Generator<undefined, Found> {
  const sharesOf = ({ counts }: Property): readonly [Share, Share] => [
    { count: counts.selected, of: totals.selected },
    { count: counts.around, of: totals.around },
  ];
  const { found, tested } = yield* significant(all, (one) => chanceOfShare(...sharesOf(one)));
  return { found: found.map((one) => described(one, sharesOf(one), differenceOfShares(...sharesOf(one)))), tested };
}

function* risen(all: readonly Property[], totals: GroupCounts): Generator<undefined, Found> {
  const risesOf = ({ counts }: Property): readonly [Rise, Rise] => {
    const others = Object.fromEntries(
      GROUPS.map((group) => [group, totals[group] - counts[group]]),
    ) as unknown as GroupCounts;
    return [riseOf(counts), riseOf(others)];
  };
  const isNew = ({ counts }: Property): boolean =>
    totals.around < LEAST_AROUND || counts.around + counts.otherOutside < LEAST_AROUND;
  const { found, tested } = yield* significant(all, (one) =>
    isNew(one) ? chanceWithin(one, totals) : chanceOfRise(...risesOf(one)),
  );
  const differences = found.map((one) => {
    const [own, others] = risesOf(one);
    // Without traces outside of the time, the others of the time are what remains to compare with.
    const difference =
      own.before.of === 0 ? differenceOfShares(own.after, others.after) : differenceOfRises(own, others);
    return described(one, [own.after, own.before], difference);
  });
  return { found: differences, tested };
}

/**
 * With fewer traces outside of the time, of a property or of all that are chosen, a rise cannot be measured: what is chosen
 * within it is new.
 */
const LEAST_AROUND = 5;

/** Asks whether the property is more common among the chosen traces of the time than among its others. */
function chanceWithin({ counts }: Property, totals: GroupCounts): Chance {
  return chanceOfShare(
    { count: counts.selected, of: totals.selected },
    { count: counts.otherWithin, of: totals.otherWithin },
  );
}

function riseOf({ selected, around, otherWithin, otherOutside }: GroupCounts): Rise {
  return {
    after: { count: selected, of: selected + otherWithin },
    before: { count: around, of: around + otherOutside },
  };
}

function described(
  { attribute, value }: Property,
  [selected, around]: readonly [Share, Share],
  difference: Difference,
): TraceDifference {
  return { attribute: attribute(), value: value(), selected, around, ...difference };
}
