import type { Finding } from '../../../collector/diagnosis.ts';
import type { Row } from '../../../postgres/read-only-pool.ts';
import type { Pack, PackIndex } from '../pack.ts';
import { columnRights } from './column-rights.ts';
import { quoteName, type Check, type Examined } from './check.ts';

/** Below it, the blocks of a range of time are all over the table, and a BRIN index leads to nearly all of them. */
const MIN_CORRELATION = 0.9;

export const indexes: Check = {
  about: 'indexes',
  async *find(examined) {
    for (const pack of examined.packs) {
      const { schema, indexes: wanted = [] } = pack;
      if (schema !== undefined && wanted.length > 0) yield* packFindings({ ...pack, schema }, wanted, examined);
    }
  },
};

async function* packFindings(
  pack: Pack & { readonly schema: string },
  wanted: readonly PackIndex[],
  examined: Examined,
): AsyncGenerator<Finding> {
  const tables = [...new Set(wanted.map(({ table }) => table))];
  const present = (await examined.ask(INDEXES, [pack.schema, tables])).map(readIndex);
  const rights = await columnRights(examined, pack.schema, tables);
  // What a table does not have is said elsewhere.
  const possible = wanted.filter(({ table, columns, over }) =>
    [...columns, ...(over ? [over.column] : [])].every((column) => rights.state(table, column) !== 'missing'),
  );
  const flaws = [
    ...present.filter(({ isValid }) => !isValid).map((index) => invalid(pack.schema, index)),
    ...possible.flatMap((index) => wantedFindings(pack.schema, index, present)),
  ];
  yield* flaws;
  if (flaws.length === 0) yield { severity: 'ok', what: `the large tables of ${pack.name} have their indexes` };
}

/** `correlation` is that of the first column; NULL where it is not known, or the role may not read the table. */
const INDEXES = `
  select t.relname::text as table_name, i.relname::text as index_name, x.indisvalid as is_valid, am.amname::text as method,
         pg_get_expr(x.indpred, x.indrelid) as predicate, s.correlation,
         array(select a.attname::text from unnest(x.indkey::int2[]) with ordinality key (number, position)
               join pg_attribute a on a.attrelid = t.oid and a.attnum = key.number order by key.position) as columns
  from pg_index x
  join pg_class t on t.oid = x.indrelid
  join pg_class i on i.oid = x.indexrelid
  join pg_am am on am.oid = i.relam
  left join pg_stats s on s.schemaname = $1 and s.tablename = t.relname and not s.inherited
    and s.attname = (select attname from pg_attribute where attrelid = t.oid and attnum = x.indkey[0])
  where t.relnamespace = to_regnamespace(quote_ident($1)) and t.relname = any ($2)`;

interface PresentIndex {
  readonly table: string;
  readonly name: string;
  readonly isValid: boolean;
  readonly method: string;
  readonly where: string;
  readonly correlation: number | undefined;
  readonly columns: readonly string[];
}

function readIndex(row: Row): PresentIndex {
  return {
    table: String(row['table_name']),
    name: String(row['index_name']),
    isValid: row['is_valid'] === true,
    method: String(row['method']),
    where: typeof row['predicate'] === 'string' ? row['predicate'] : '',
    correlation: typeof row['correlation'] === 'number' ? row['correlation'] : undefined,
    columns: row['columns'] as readonly string[],
  };
}

function wantedFindings(schema: string, wanted: PackIndex, present: readonly PresentIndex[]): Finding[] {
  const serving = present.filter((index) => index.isValid && serves(index, wanted));
  const table = `${quoteName(schema)}.${wanted.table}`;
  if (serving.length === 0) {
    const condition = wanted.over === undefined ? '' : ` where ${wanted.over.where}`;
    return [
      {
        severity: 'warning',
        what: `no index on ${table} (${wanted.columns.join(', ')})${condition}: slower the larger it grows are ${wanted.queries.join(', ')}`,
        repair: `create index concurrently if not exists ${wanted.name} on ${table} ${wanted.definition};`,
      },
    ];
  }
  const scattered = serving.filter(
    ({ method, correlation }) => method === 'brin' && Math.abs(correlation ?? 1) < MIN_CORRELATION,
  );
  if (scattered.length < serving.length) return [];
  const { name, correlation } = scattered[0]!;
  const column = wanted.columns[0]!;
  return [
    {
      severity: 'warning',
      what: `rows of ${table} do not lie in the order of ${column} (correlation ${correlation!.toFixed(2)}): the BRIN index ${name} leads to most of the table`,
      repair: `create index concurrently on ${table} (${column});`,
    },
  ];
}

/** By its columns, and by what rows it is over. */
function serves(index: PresentIndex, { table, columns, over }: PackIndex): boolean {
  return (
    index.table === table &&
    columns.every((column, i) => index.columns[i] === column) &&
    plain(index.where) === plain(over?.where ?? '')
  );
}

/** As PostgreSQL prints a condition, it has casts and parentheses of its own. */
function plain(condition: string): string {
  return condition
    .toLowerCase()
    .replaceAll('::text', '')
    .replaceAll(/[\s()]+/g, '');
}

function invalid(schema: string, { name, table }: PresentIndex): Finding {
  return {
    severity: 'warning',
    what: `the index ${name} on ${table} is invalid: its build was broken off, and it only costs`,
    repair: `drop index concurrently ${quoteName(schema)}.${quoteName(name)};`,
  };
}
