type Values = readonly (number | null)[];

export interface NamedSeries {
  readonly name: string;
  readonly values: Values;
}

/** Each upon those after it, so that it is drawn behind them. Nothing adds nothing. */
export function stackedUp(series: readonly Values[]): readonly Values[] {
  const totals: number[] = [];
  return series
    .toReversed()
    .map((values) =>
      values.map((value, index) => {
        if (value === null) return null;
        const total = (totals[index] ?? 0) + value;
        totals[index] = total;
        return total;
      }),
    )
    .toReversed();
}

export function latestOf(values: Values): number | undefined {
  return values.findLast((value) => value !== null) ?? undefined;
}

export function totalOf(values: Values): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value);
}

export function largestOf(values: Values): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : known.reduce((most, value) => Math.max(most, value));
}

/** The indices of the values that are not three in a row, so that hardly a line is seen of them. */
export function lonelyOf(values: ArrayLike<number | null | undefined>): readonly number[] {
  const areThere = (...indices: readonly number[]): boolean => indices.every((index) => values[index] != null);
  return Array.from(values, (_, index) => index).filter(
    (at) => areThere(at) && !areThere(at - 2, at - 1) && !areThere(at - 1, at + 1) && !areThere(at + 1, at + 2),
  );
}
