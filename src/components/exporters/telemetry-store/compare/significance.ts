/** This part of the reported differences may be there by chance: half of the promised 1 %, which a long simulation would otherwise exceed every second time. */
const FALSE_DISCOVERY_RATE = 0.005;

/** A part of a number of traces. */
export interface Share {
  readonly count: number;
  readonly of: number;
}

/** The difference of two shares, or of two such differences, with the bounds that contain it with 95 % confidence. */
export interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** A count among all the counts that were possible, each with its weight. The weights rise to one maximum and fall. */
export interface Chance {
  readonly count: number;
  readonly least: number;
  readonly most: number;
  readonly logWeight: (count: number) => number;
}

/**
 * Returns those whose count is too high for chance, by the method of Benjamini and Hochberg. What is too rare to be significant
 * whatever its count does not count as a test (Tarone).
 */
export function* significant<T>(
  all: readonly T[],
  chanceOf: (one: T) => Chance,
): Generator<undefined, { readonly found: readonly T[]; readonly tested: number }> {
  const tests: { readonly one: T; readonly value: number }[] = [];
  for (const one of all) {
    const chance = chanceOf(one);
    if (chanceOfMore({ ...chance, count: chance.most }) <= FALSE_DISCOVERY_RATE) {
      tests.push({ one, value: chanceOfMore(chance) });
    }
    yield;
  }
  const tested = tests.toSorted((a, b) => a.value - b.value);
  const last = tested.findLastIndex(
    ({ value }, index) => value <= ((index + 1) / tested.length) * FALSE_DISCOVERY_RATE,
  );
  return { found: tested.slice(0, last + 1).map(({ one }) => one), tested: tested.length };
}

/** How likely so many or more are. */
export function chanceOfMore({ count, least, most, logWeight }: Chance): number {
  const reference = logWeight(count);
  const weight = (other: number): number => Math.exp(Math.min(MOST_EXPONENT, logWeight(other) - reference));
  let more = 1;
  for (let other = count + 1, last = 1; other <= most; other++) {
    const next = weight(other);
    more += next;
    if (next < last && next < more * PRECISION) break;
    last = next;
  }
  let all = more;
  for (let other = count - 1, last = 1; other >= least; other--) {
    const next = weight(other);
    all += next;
    if (next < last && next < all * PRECISION) break;
    last = next;
  }
  return more / all;
}

const PRECISION = 1e-12;
const MOST_EXPONENT = 700;

/** Fisher's exact test: how many of those with a property are in the first group. */
export function chanceOfShare(first: Share, second: Share): Chance {
  const having = first.count + second.count;
  return {
    count: first.count,
    least: Math.max(0, having - second.of),
    most: Math.min(having, first.of),
    logWeight: (count) => logChoose(first.of, count) + logChoose(second.of, having - count),
  };
}

/** Two shares before and after. */
export interface Rise {
  readonly after: Share;
  readonly before: Share;
}

/**
 * Zelen's exact test: whether the odds rose more for some than for the others. A rise that both have does not count,
 * and neither do shares that always differed.
 *
 * @see Zelen 1971, the analysis of several 2 × 2 contingency tables
 */
export function chanceOfRise(some: Rise, others: Rise): Chance {
  const ofSome = some.after.count + some.before.count;
  const ofOthers = others.after.count + others.before.count;
  const after = some.after.count + others.after.count;
  return {
    count: some.after.count,
    least: Math.max(0, ofSome - some.before.of, after - Math.min(others.after.of, ofOthers)),
    most: Math.min(some.after.of, ofSome, after - Math.max(0, ofOthers - others.before.of)),
    logWeight: (count) =>
      logChoose(some.after.of, count) +
      logChoose(some.before.of, ofSome - count) +
      logChoose(others.after.of, after - count) +
      logChoose(others.before.of, ofOthers - after + count),
  };
}

/** @see Newcombe 1998, interval estimation for the difference between independent proportions, method 10 */
export function differenceOfShares(first: Share, second: Share): Difference {
  return combined([first], [second]);
}

/** How much more the share of some rose than that of the others. */
export function differenceOfRises(some: Rise, others: Rise): Difference {
  return combined([some.after, others.before], [some.before, others.after]);
}

function combined(added: readonly Share[], subtracted: readonly Share[]): Difference {
  let [difference, below, above] = [0, 0, 0];
  for (const [shares, sign] of [
    [added, 1],
    [subtracted, -1],
  ] as const) {
    for (const one of shares) {
      const { value, low, high } = boundsOf(one);
      difference += sign * value;
      below += (sign > 0 ? value - low : high - value) ** 2;
      above += (sign > 0 ? high - value : value - low) ** 2;
    }
  }
  return { difference, low: difference - Math.sqrt(below), high: difference + Math.sqrt(above) };
}

/** Wilson's score interval for 95 %. */
function boundsOf({ count, of }: Share): { readonly value: number; readonly low: number; readonly high: number } {
  const square = Z_95 ** 2;
  const middle = (count + square / 2) / (of + square);
  const half = (Z_95 / (of + square)) * Math.sqrt((count * (of - count)) / of + square / 4);
  return { value: count / of, low: middle - half, high: middle + half };
}

const Z_95 = 1.959963984540054;

function logChoose(of: number, count: number): number {
  return logFactorial(of) - logFactorial(count) - logFactorial(of - count);
}

/** The values for numbers of traces are needed again and again. */
function logFactorial(number: number): number {
  if (number >= KNOWN.length) return stirling(number);
  const known = KNOWN[number] as number;
  return known > 0 || number < SMALL ? known : (KNOWN[number] = stirling(number));
}

function stirling(number: number): number {
  const inverse = 1 / number;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260;
  return (number + 0.5) * Math.log(number) - number + 0.5 * Math.log(2 * Math.PI) + series;
}

/** The series is exact from here on. */
const SMALL = 256;
/** 0 for a value that is not known yet. */
const KNOWN = new Float64Array(1 << 14);
for (let number = 2; number < SMALL; number++) KNOWN[number] = (KNOWN[number - 1] as number) + Math.log(number);
