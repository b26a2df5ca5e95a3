import type { RowModel } from '../dashboards/model/dashboard-model.ts';
import type { Choices } from './expression.ts';

export interface RepeatedRow {
  readonly row: RowModel;
  readonly title: string;
  /** The choices of this row. */
  readonly choices: Choices;
  readonly isOpen: boolean;
}

/** Further rows are collapsed, and their panels are not queried until someone opens them. */
const OPEN_AT_FIRST = 2;

/** A row for each chosen value of its variable, or for each that there is. */
export function repeated(
  rows: readonly RowModel[],
  { choices, values }: { readonly choices: Choices; readonly values: ReadonlyMap<string, readonly string[]> },
): readonly RepeatedRow[] {
  return rows.flatMap((row) => {
    const { repeatFor, title } = row;
    if (repeatFor === undefined) return [{ row, title, choices, isOpen: true }];
    const chosen = choices[repeatFor] ?? values.get(repeatFor) ?? [];
    return chosen.map((value, index) => ({
      row,
      title: title.replace(`$${repeatFor}`, () => value),
      choices: { ...choices, [repeatFor]: [value] },
      isOpen: index < OPEN_AT_FIRST,
    }));
  });
}
