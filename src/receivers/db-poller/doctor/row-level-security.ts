import type { Finding } from '../../../collector/diagnosis.ts';
import { tablesOf } from '../packs/query-needs.ts';
import { readableIdentifier } from '../../../postgres/identifier.ts';
import type { Check, Examined } from './check.ts';
import { isOwnRows } from './own-tables.ts';

export const rowLevelSecurity: Check = {
  about: 'row level security',
  async *find(examined) {
    for (const [schema, tables] of askedTables(examined)) {
      for (const { table_name, live_rows, lets_all } of await examined.ask(SECURED, [schema, [...tables]])) {
        const table = `${readableIdentifier(schema)}.${readableIdentifier(String(table_name))}`;
        yield* tableFindings(examined, { table, liveRows: Number(live_rows), letsAll: lets_all === true });
      }
    }
  },
};

/** By schema: those of the packs, and those whose rows the user has counted. */
function askedTables({ packs, planned }: Examined): ReadonlyMap<string, ReadonlySet<string>> {
  const ofPacks = packs.flatMap(({ schema, ...pack }): [string, string][] =>
    schema === undefined ? [] : tablesOf(pack).map((table) => [schema, table]),
  );
  const own = planned.filter(isOwnRows).map(({ config }) => config.table.split('.') as [string, string]);
  const bySchema = Map.groupBy([...ofPacks, ...own], ([schema]) => schema);
  return new Map([...bySchema].map(([schema, names]) => [schema, new Set(names.map(([, table]) => table))]));
}

/** Where it holds for this role, which may read the table. */
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
  /** As the statistics have it. */
  readonly liveRows: number;
  /** Whether a policy lets this role see every row. */
  readonly letsAll: boolean;
}

async function* tableFindings({ ask, role }: Examined, secured: SecuredTable): AsyncGenerator<Finding> {
  const { table, liveRows, letsAll } = secured;
  if (letsAll) {
    yield { severity: 'ok', what: `row level security lets the role ${role} see every row of ${table}` };
    return;
  }
  const repair = `create policy siphon_reads on ${table} for select to ${role} using (true);`;
  const [row] = await ask(`select exists (select from ${table}) as sees_any`);
  if (row!['sees_any'] !== true && liveRows > 0) {
    const what = `row level security hides all of about ${liveRows} rows of ${table} from the role ${role}: it would count none`;
    yield { severity: 'error', what, repair };
  } else {
    const what = `row level security may hide rows of ${table} from the role ${role}: numbers are of what is left`;
    yield { severity: 'warning', what, repair };
  }
}
