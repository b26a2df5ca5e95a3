import type { Schema, Statement } from '../../../components/receivers/db-poller/query.ts';

export const roasterLabels = ['slug', 'id', 'name'] as const;
export type RoasterColumn = (typeof roasterLabels)[number];

/** How rows of a table that is joined with `roasters`, as `roaster`, get the labels `roaster` and `platform`. */
export interface RoasterLabel {
  /** Of `roasters`. */
  readonly columns: readonly string[];
  readonly select: string;
  /** Every roaster that there is. */
  readonly known: (schema: Schema) => Statement;
  readonly meaning: string;
}

/** @param column whose value the label `roaster` has. */
export function labelledBy(column: RoasterColumn): RoasterLabel {
  const select = `roaster.${column}::text as roaster, roaster.platform::text as platform`;
  return {
    columns: [...new Set(['id', column, 'platform'])],
    select,
    known: ({ table }) => ({
      text: `select ${select} from ${table('roasters')} roaster order by roaster.id limit 10000`,
    }),
    meaning: `roaster is ${column}`,
  };
}
