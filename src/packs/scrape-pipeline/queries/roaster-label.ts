import type { Schema, Statement } from '../../../components/receivers/db-poller/query.ts';

export const roasterLabels = ['slug', 'id', 'name'] as const;
export type RoasterColumn = (typeof roasterLabels)[number];

/** The SQL for the labels `roaster` and `platform` of rows that are joined with `roasters`, as `roaster`. */
export interface RoasterLabel {
  /** The columns of `roasters` that it needs. */
  readonly columns: readonly string[];
  readonly select: string;
  /** Selects all roasters. */
  readonly known: (schema: Schema) => Statement;
  readonly meaning: string;
}

/** @param column the column that becomes the label `roaster`. */
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
