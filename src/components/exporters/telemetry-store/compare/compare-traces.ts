import type { ComparedProperty, ComparedTraces } from '../../../../engine/stored-telemetry.ts';
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

/**
 * Compares the attributes and names of all spans in the selected traces with those in the traces around them. It counts
 * traces and not spans, because the spans of one trace have much in common. Each count is exact.
 */
export function* compareTraces(
  segments: readonly Segment[],
  criteria: GroupCriteria,
): Generator<undefined, Omit<ComparedTraces, 'left'>> {
  const groups = yield* TraceGroups.of(segments, criteria);
  const properties = new Properties(LEAST_SELECTED);
  yield* properties.count(groups);
  const totals = groups.totals();
  const outside = totals.around + totals.otherOutside;
  const isIncomparable = isRise(criteria) && outside < LEAST_AROUND;
  const common: Property[] = [];
  for (const property of properties.common()) {
    common.push(property);
    yield;
  }
  const { found, tested } = isIncomparable
    ? NOTHING
    : yield* isRise(criteria) ? risen(common, totals) : moreCommon(common, totals);
  return {
    compares: isRise(criteria) ? 'rise' : 'share',
    selectedTraces: totals.selected,
    aroundTraces: totals.around,
    tested,
    uncounted: properties.left,
    ...(isIncomparable && {
      hint: `the store has too few traces outside of the time to compare with: ${outside}`,
    }),
    differences: found.toSorted((a, b) => b.difference - a.difference || b.selected.count - a.selected.count),
  };
}

/** One or two traces do not show a pattern. */
const LEAST_SELECTED = 3;

interface Found {
  readonly found: readonly ComparedProperty[];
  readonly tested: number;
}

const NOTHING: Found = { found: [], tested: 0 };

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
): ComparedProperty {
  const name = attribute();
  return { ...(name !== undefined && { attribute: name }), value: value(), selected, around, ...difference };
}
