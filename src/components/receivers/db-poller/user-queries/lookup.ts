import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { Lookup } from './labels.ts';
import type { TableFlaw } from './table-flaw.ts';

interface LookupTable {
  readonly role: string;
  readonly may_use: boolean;
  readonly has_table: boolean;
  readonly columns: Readonly<Record<string, { readonly may_read: boolean }>>;
  /** Sets of columns that are unique and never NULL. */
  readonly keys: readonly { readonly columns: readonly string[] }[];
}

/** Examines the tables in which labels are looked up. @throws PostgresError if the database does not answer */
export async function lookupFlaws(
  lookups: readonly Lookup[],
  find: (table: string) => Promise<LookupTable>,
): Promise<TableFlaw[]> {
  const flaws = await Promise.all(lookups.map(async (lookup) => flawOf(lookup, await find(lookup.table))));
  return flaws.filter((flaw) => flaw !== undefined);
}

function flawOf({ table: name, key, column }: Lookup, found: LookupTable): TableFlaw | undefined {
  const table = name.split('.').map(readableIdentifier).join('.');
  const { role, has_table, may_use, columns, keys } = found;
  if (!has_table)
    return { failure: 'missing_table', what: `table ${table} of a lookup does not exist`, repair: 'Set table of the lookup to schema.table, spelled as in pg_class' }; // prettier-ignore
  const missing = [key, column].filter((wanted) => !columns[wanted]);
  if (missing.length > 0)
    return { failure: 'missing_column', what: `table ${table} has no column ${missing.join(', ')}`, repair: 'Use existing columns in lookup' }; // prettier-ignore
  const hidden = [key, column].filter((wanted) => !columns[wanted]!.may_read);
  if (hidden.length > 0 || !may_use)
    return { failure: 'permission', what: `role ${role} may not read ${table}`, repair: `grant usage on schema ${table.slice(0, table.indexOf('.'))} to ${role}; grant select on ${table} to ${role};` }; // prettier-ignore
  if (keys.some((unique) => unique.columns.length === 1 && unique.columns[0] === key)) return undefined;
  const what = `no unique index covers ${key} of ${table}: each lookup reads the whole table, and fails if two rows have the same ${key}`;
  return { what, repair: 'Set key of the lookup to the primary key, or add a unique index over a NOT NULL column' };
}
