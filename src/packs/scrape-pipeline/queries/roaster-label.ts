import { roaster as budget } from '../labels.ts';
import type { Schema, Statement } from '../../../components/receivers/db-poller/query.ts';

export const roasterLabels = ['slug', 'id', 'name'] as const;
export type RoasterColumn = (typeof roasterLabels)[number];

/** The SQL for the labels `roaster` and `platform` of rows that are joined with `roasters`, as `roaster`. */
export interface RoasterLabel {
  /** The columns of `roasters` that it needs. */
  readonly columns: readonly string[];
  readonly select: string;
  /** Selects as many roasters as the label has places for. */
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
      text: `select ${select} from ${table('roasters')} roaster order by roaster.id limit ${budget.maxValues}`,
    }),
    meaning: `roaster is ${column}`,
  };
}

/** Known rows, each with every one of these values of another label. */
export function knownWith({ text }: Statement, label: string, values: readonly string[]): Statement {
  const listed = values.map((value) => `('${value}')`).join(', ');
  return { text: `select * from (${text}) known cross join (values ${listed}) other (${label})` };
}

/** A reference of a counted row, or of a row that it refers to. */
interface Reference {
  /** SQL of the referring column, and of the key that a join has found. */
  readonly from: string;
  readonly to: string;
  /** The table that is referred to. */
  readonly table: string;
}

/** SQL: true if one of the references is not NULL, and row level security is why its row is not found. */
export function isHidden({ table }: Schema, references: readonly Reference[]): string {
  const hidden = references.map(({ from, to, table: name }) => {
    const quoted = table(name).replaceAll("'", "''");
    return `${from} is not null and ${to} is null and (select row_security_active('${quoted}'))`;
  });
  return hidden.join(' or ');
}

/** References to roasters, by sources and by coffees. */
export const references = {
  source: { from: 'source.roaster_id', to: 'roaster.id', table: 'roasters' },
  coffee: { from: 'coffee.roaster_id', to: 'roaster.id', table: 'roasters' },
} as const satisfies Record<string, Reference>;
