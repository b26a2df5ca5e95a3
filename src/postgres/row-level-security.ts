import type { Finding } from '../engine/component.ts';
import type { TableName } from './asked-tables.ts';
import { readableIdentifier } from './identifier.ts';
import type { Row } from './read-only-pool.ts';

export interface Reader {
  /** The SQL name of the role. */
  readonly role: string;
  /** Runs one statement as this role. @throws PostgresError */
  readonly ask: (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
}

/** Reports tables whose policies may hide rows from the role. @throws PostgresError */
export async function* rowLevelSecurityFindings(reader: Reader, tables: readonly TableName[]): AsyncGenerator<Finding> {
  for (const [schema, ofSchema] of Map.groupBy(tables, (table) => table.schema)) {
    const names = [...new Set(ofSchema.map(({ table }) => table))];
    for (const { table_name, live_rows, lets_all } of await reader.ask(SECURED, [schema, names])) {
      const table = `${readableIdentifier(schema)}.${readableIdentifier(String(table_name))}`;
      yield await findingOf(reader, { table, liveRows: Number(live_rows), letsAll: lets_all === true });
    }
  }
}

/** The tables with row level security that applies to this role and that it may read. */
const SECURED = `
  select c.relname::text as table_name, greatest(c.reltuples, s.n_live_tup) as live_rows,
         exists (select from pg_policy p
                 where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
                   and pg_get_expr(p.polqual, p.polrelid) = 'true'
                   and (0 = any (p.polroles)
                        or exists (select from unnest(p.polroles) granted where pg_has_role(granted, 'usage'))))
         and not exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive) as lets_all
  from pg_class c left join pg_stat_all_tables s on s.relid = c.oid
  where c.relnamespace = to_regnamespace(quote_ident($1)) and c.relname = any ($2)
    and row_security_active(c.oid) and has_any_column_privilege(c.oid, 'select')
  order by c.relname`;

interface SecuredTable {
  readonly table: string;
  /** The number of rows in the statistics. */
  readonly liveRows: number;
  /** True if a policy lets this role see every row. */
  readonly letsAll: boolean;
}

async function findingOf({ ask, role }: Reader, { table, liveRows, letsAll }: SecuredTable): Promise<Finding> {
  if (letsAll) return { severity: 'ok', what: `row level security lets role ${role} see all rows of ${table}` };
  const repair = `create policy siphon_reads on ${table} for select to ${role} using (true);`;
  const [row] = await ask(`select exists (select from ${table}) as sees_any`);
  if (row!['sees_any'] !== true && liveRows > 0) {
    const what = `row level security hides all of about ${liveRows} rows of ${table} from role ${role}`;
    return { severity: 'error', what, repair };
  }
  const what = `row level security may hide rows of ${table} from role ${role}: metrics include only visible rows`;
  return { severity: 'warning', what, repair };
}
