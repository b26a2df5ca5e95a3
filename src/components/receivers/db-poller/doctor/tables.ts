import type { Finding } from '../../../../engine/component.ts';
import { askedTables, type TableName } from '../../../../postgres/asked-tables.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { rowLevelSecurityFindings } from '../../../../postgres/row-level-security.ts';
import type { ConfiguredPack, PlannedQuery } from '../plan.ts';
import type { TableColumns } from '../query.ts';
import { pgCatalog, queryNeeds, tablesOf } from '../run/schema.ts';
import { lookupsOf } from '../user-queries/labels.ts';
import type { Check, Examined } from './check.ts';

export const tables: Check = {
  about: 'tables and rights',
  async *find(examined) {
    for (const pack of examined.packs) {
      const { schema } = pack;
      yield* schema === undefined ? catalogFindings(pack, examined) : packFindings({ ...pack, schema }, examined);
    }
  },
};

/** Servers and roles differ, so what is missing is not a problem. */
async function* catalogFindings(pack: ConfiguredPack, examined: Examined): AsyncGenerator<Finding> {
  const schema = await examined.schemaOf(pack);
  const version = Math.floor(examined.version / 10_000);
  for (const [query, { needs, remedy, sinceVersion = 0 }] of Object.entries(pack.gauges)) {
    const lacking = new Set(schema.missing(needs).map((column) => column.split('.')[0]));
    if (lacking.size === 0) continue;
    const name = `${pack.name}.${query} has no values`;
    const missing = `this server or role lacks ${[...lacking].join(', ')}`;
    const hint = remedy === undefined ? '' : `; to have them, ${remedy}`;
    const what =
      version < sinceVersion
        ? `${name} on this version: the server is PostgreSQL ${version}, and ${sinceVersion} introduced ${[...lacking].join(', ')}`
        : `${name}: ${missing}${hint}`;
    yield { severity: 'note', what };
  }
}

async function* packFindings(pack: ConfiguredPack & { schema: string }, examined: Examined): AsyncGenerator<Finding> {
  const { role, ask } = examined;
  const schema = readableIdentifier(pack.schema);
  const [rights] = await ask(SCHEMA_RIGHTS, [pack.schema]);
  const wanted = wantedTables(pack);
  const names = [...wanted.keys()];
  const columns = await columnRights(examined, pack.schema, names);
  if (!names.some((table) => columns.hasTable(table))) {
    const flaw = rights === undefined ? 'does not exist' : `has none of the tables of ${pack.name}`;
    yield { severity: 'error', what: `schema ${schema} ${flaw}`, repair: await withoutTables(pack, names, examined) };
    return;
  }
  if (rights?.['may_use'] !== true) {
    yield {
      severity: 'error',
      what: `role ${role} may not use schema ${schema}`,
      repair: `grant usage on schema ${schema} to ${role};`,
    };
  }
  const flaws = [...wanted].flatMap(([table, want]) => tableFindings({ schema, table, role }, want, columns));
  yield* flaws;
  if (flaws.length === 0)
    yield { severity: 'ok', what: `role ${role} may read all ${wanted.size} tables of ${pack.name}` };
}

/** Another schema may have the tables. Otherwise the pack is for another database. */
async function withoutTables({ key }: ConfiguredPack, names: readonly string[], { ask }: Examined): Promise<string> {
  const [other] = await ask(OTHER_SCHEMA, [names]);
  return other === undefined
    ? `The pack is not for this database: remove packs::${key}`
    : `Set packs::${key}::schema: ${String(other['schema'])}`;
}

/** The schema with most of the tables, if it has at least half of them. */
const OTHER_SCHEMA = `
  select n.nspname::text as schema from pg_class t join pg_namespace n on n.oid = t.relnamespace
  where t.relname = any ($1) and t.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  group by n.nspname having count(*) * 2 >= cardinality($1) order by count(*) desc, n.nspname limit 1`;

const SCHEMA_RIGHTS = `
  select has_schema_privilege(oid, 'usage') as may_use from pg_namespace where nspname = $1`;

/** The queries that read each column of a table. */
interface Want {
  readonly needed: ReadonlyMap<string, readonly string[]>;
  readonly optional: ReadonlyMap<string, readonly string[]>;
}

function wantedTables(pack: ConfiguredPack): Map<string, Want> {
  const needs = Object.entries(queryNeeds(pack));
  const names = needs.flatMap(([, { needs: needed, uses = {} }]) => [...Object.keys(needed), ...Object.keys(uses)]);
  return new Map(
    [...new Set(names)].map((table) => {
      const needed = wantedColumns(
        needs.map(([query, { needs: columns }]) => [query, columns] as const),
        table,
      );
      const optional = wantedColumns(
        needs.map(([query, { uses = {} }]) => [query, uses] as const),
        table,
      );
      return [table, { needed, optional }];
    }),
  );
}

function wantedColumns(byQuery: readonly (readonly [string, TableColumns])[], table: string): Map<string, string[]> {
  const wanted = new Map<string, string[]>();
  for (const [query, columns] of byQuery) {
    for (const column of columns[table] ?? []) wanted.set(column, [...(wanted.get(column) ?? []), query]);
  }
  return wanted;
}

interface Place {
  readonly schema: string;
  readonly table: string;
  readonly role: string;
}

function tableFindings({ schema, table, role }: Place, { needed, optional }: Want, columns: ColumnRights): Finding[] {
  const name = `${schema}.${readableIdentifier(table)}`;
  const consequence = (lacking: readonly string[]): string => {
    const off = queriesOf(lacking, needed);
    const less = queriesOf(lacking, optional).filter((query) => !off.includes(query));
    return [
      ...(off.length > 0 ? [`off: ${off.join(', ')}`] : []),
      ...(less.length > 0 ? [`reduced: ${less.join(', ')}`] : []),
    ].join('; ');
  };
  const all = [...new Set([...needed.keys(), ...optional.keys()])];
  if (!columns.hasTable(table)) {
    return [{ severity: 'warning', what: `table ${name} does not exist (${consequence(all)})`, repair: NO_PART }];
  }
  const missing = all.filter((column) => columns.state(table, column) === 'missing');
  const hidden = all.filter((column) => columns.state(table, column) === 'hidden');
  return [
    ...(missing.length > 0
      ? [
          {
            severity: 'warning' as const,
            what: `table ${name} has no ${missing.join(', ')} (${consequence(missing)})`,
            repair: NO_PART,
          },
        ]
      : []),
    ...(hidden.length > 0
      ? [
          {
            severity: 'error' as const,
            what: `role ${role} may not read ${hidden.join(', ')} of ${name} (${consequence(hidden)})`,
            repair: `grant select on ${name} to ${role};`,
          },
        ]
      : []),
  ];
}

const NO_PART = 'Add it if you need these metrics; otherwise ignore this';

function queriesOf(columns: readonly string[], wanted: ReadonlyMap<string, readonly string[]>): string[] {
  return [...new Set(columns.flatMap((column) => wanted.get(column) ?? []))];
}

/** The columns of these tables, and whether the role may read them. @throws PostgresError */
export async function columnRights({ ask }: Examined, schema: string, names: readonly string[]): Promise<ColumnRights> {
  return new ColumnRights(await ask(COLUMN_RIGHTS, [schema, names]));
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

/** Examines the tables of the packs, and the tables that the user's queries count or read. */
export const rowLevelSecurity: Check = {
  about: 'row level security',
  async *find(examined) {
    const own = await Promise.all(examined.planned.map((planned) => userTables(planned, examined)));
    yield* rowLevelSecurityFindings(examined, [...packTables(examined), ...own.flat()]);
  },
};

function packTables({ packs }: Examined): TableName[] {
  return packs.flatMap(({ schema, ...pack }) =>
    schema === undefined ? [] : tablesOf(pack).map((table) => ({ schema, table })),
  );
}

async function userTables(planned: PlannedQuery, { pool, config }: Examined): Promise<TableName[]> {
  if (planned.pack !== undefined) return [];
  if (planned.kind === 'gauges') return await askedTables(pool, planned.query.statement(pgCatalog), config.timeout);
  if (planned.kind === 'counters') return [];
  const names = [planned.config.table, ...lookupsOf(planned.config.labels).map((lookup) => lookup.table)];
  return names.map((name) => {
    const [schema = '', table = ''] = name.split('.');
    return { schema, table };
  });
}
