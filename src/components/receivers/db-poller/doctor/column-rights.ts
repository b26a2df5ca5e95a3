import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { Examined } from './check.ts';

/** What these tables have, and what of it the role may read. @throws PostgresError */
export async function columnRights(
  { ask }: Examined,
  schema: string,
  tables: readonly string[],
): Promise<ColumnRights> {
  return new ColumnRights(await ask(COLUMN_RIGHTS, [schema, tables]));
}

const COLUMN_RIGHTS = `
  select t.relname::text as table_name, a.attname::text as column_name,
         has_column_privilege(t.oid, a.attnum, 'select') as may_read
  from pg_class t join pg_attribute a on a.attrelid = t.oid
  where t.relnamespace = to_regnamespace(quote_ident($1)) and t.relname = any ($2)
    and t.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped`;

export class ColumnRights {
  readonly #mayRead = new Map<string, boolean>();
  readonly #tables = new Set<string>();

  constructor(rows: readonly Row[]) {
    for (const { table_name, column_name, may_read } of rows) {
      this.#tables.add(String(table_name));
      this.#mayRead.set(`${String(table_name)}.${String(column_name)}`, may_read === true);
    }
  }

  hasTable(table: string): boolean {
    return this.#tables.has(table);
  }

  state(table: string, column: string): 'readable' | 'hidden' | 'missing' {
    const mayRead = this.#mayRead.get(`${table}.${column}`);
    if (mayRead === undefined) return 'missing';
    return mayRead ? 'readable' : 'hidden';
  }
}
