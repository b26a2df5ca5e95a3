import type { Finding } from '../../../../engine/diagnosis.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { Examined } from './check.ts';

/** Below it, the blocks of a range of time are all over the table, and a BRIN index leads to nearly all of them. */
const MIN_CORRELATION = 0.9;

export interface PresentIndex {
  readonly table: string;
  readonly name: string;
  readonly isValid: boolean;
  readonly method: string;
  readonly where: string;
  readonly correlation: number | undefined;
  readonly columns: readonly string[];
}

/** @throws PostgresError */
export async function presentIndexes(
  { ask }: Examined,
  schema: string,
  tables: readonly string[],
): Promise<readonly PresentIndex[]> {
  return (await ask(INDEXES, [schema, tables])).map(readIndex);
}

/** What is no column of the table but an expression has an empty name. `correlation` is that of the first column; NULL where it is not known, or the role may not read the table. */
const INDEXES = `
  select t.relname::text as table_name, i.relname::text as index_name, x.indisvalid as is_valid, am.amname::text as method,
         pg_get_expr(x.indpred, x.indrelid) as predicate, s.correlation,
         array(select coalesce(a.attname::text, '') from unnest(x.indkey::int2[]) with ordinality key (number, position)
               left join pg_attribute a on a.attrelid = t.oid and a.attnum = key.number order by key.position) as columns
  from pg_index x
  join pg_class t on t.oid = x.indrelid
  join pg_class i on i.oid = x.indexrelid
  join pg_am am on am.oid = i.relam
  left join pg_stats s on s.schemaname = $1 and s.tablename = t.relname and not s.inherited
    and s.attname = (select attname from pg_attribute where attrelid = t.oid and attnum = x.indkey[0])
  where t.relnamespace = to_regnamespace(quote_ident($1)) and t.relname = any ($2)`;

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

/** Of the indexes that could serve: none where one of them does. */
export function scatteredFindings(serving: readonly PresentIndex[], table: string, column: string): Finding[] {
  const scattered = serving.filter(
    ({ method, correlation }) => method === 'brin' && Math.abs(correlation ?? 1) < MIN_CORRELATION,
  );
  if (scattered.length < serving.length) return [];
  const { name, correlation } = scattered[0]!;
  return [
    {
      severity: 'warning',
      what: `rows of ${table} do not lie in the order of ${column} (correlation ${correlation!.toFixed(2)}): the BRIN index ${name} leads to most of the table`,
      repair: `create index concurrently on ${table} (${column});`,
    },
  ];
}

export function invalidFinding(schema: string, { name, table }: PresentIndex): Finding {
  return {
    severity: 'warning',
    what: `the index ${name} on ${table} is invalid: its build was broken off, and it only costs`,
    repair: `drop index concurrently ${readableIdentifier(schema)}.${readableIdentifier(name)};`,
  };
}
