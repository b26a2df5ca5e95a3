import type { Logger } from 'pino';
import { quoteIdentifier } from '../../../../postgres/identifier.ts';
import type { ReadOnlyPool, Row } from '../../../../postgres/read-only-pool.ts';
import type { GaugeQuery, QuerySet, Schema, TableColumns } from '../query.ts';

/** The queries on the tables of one schema, or on the server's own catalogs. */
export type TableQueries = Pick<QuerySet, 'schema' | 'gauges' | 'counters'>;

const PROBE_AGAIN_AFTER_MS = 10 * 60_000;
const MAX_COLUMNS = 10_000;

/** The columns that a query lacks, as `table.column`. */
export interface MissingColumns {
  /** If one is missing, the query is off. */
  readonly needed: readonly string[];
  /** If one is missing, the query returns less. */
  readonly optional: readonly string[];
}

export type MissingByQuery = ReadonlyMap<string, MissingColumns>;

export interface ProbeLimits {
  readonly timeoutMs: number;
  /** The interval between probes while a query is off. */
  readonly retryMs: number;
}

/** A schema that reports the columns that a query lacks. */
export interface QueriedSchema extends Schema {
  /** Returns missing columns as `table.column`. */
  missing(needs: TableColumns): readonly string[];
}

/** The schema for queries without a probe: those on what every server has, and the user's SQL, which names its tables itself. */
export const pgCatalog: QueriedSchema = {
  table: (name) => name,
  has: () => true,
  hasIndex: () => false,
  missing: () => [],
};

/** Finds out which of a pack's columns exist and may be read by this role. At most one probe runs at a time. */
export class SchemaProbe {
  readonly #pool: ReadOnlyPool;
  readonly #pack: TableQueries;
  readonly #limits: ProbeLimits;
  readonly #onResult: (missing: MissingByQuery, schema: ProbedSchema) => void;
  #found: { readonly schema: ProbedSchema; readonly untilMs: number } | undefined;
  #running: Promise<ProbedSchema> | undefined;

  constructor(
    pool: ReadOnlyPool,
    pack: TableQueries,
    limits: ProbeLimits,
    onResult: (missing: MissingByQuery, schema: ProbedSchema) => void,
  ) {
    this.#pool = pool;
    this.#pack = pack;
    this.#limits = limits;
    this.#onResult = onResult;
  }

  /** @throws PostgresError */
  async schema(): Promise<ProbedSchema> {
    if (this.#found && performance.now() < this.#found.untilMs) return this.#found.schema;
    this.#running ??= this.#probe().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The next call of `schema` probes the database again. */
  forget(): void {
    this.#found = undefined;
  }

  async #probe(): Promise<ProbedSchema> {
    const schema = await this.#ask();
    const missing = Object.entries(queryNeeds(this.#pack)).map(([name, { needs, uses = {} }]) => {
      return [name, { needed: schema.missing(needs), optional: schema.missing(uses) }] as const;
    });
    const isAnyOff = missing.some(([, { needed }]) => needed.length > 0);
    const isWaitedFor = isAnyOff && this.#pack.schema !== undefined;
    const goodForMs = isWaitedFor ? this.#limits.retryMs : PROBE_AGAIN_AFTER_MS;
    this.#found = { schema, untilMs: performance.now() + goodForMs };
    this.#onResult(new Map(missing), schema);
    return schema;
  }

  async #ask(): Promise<ProbedSchema> {
    const { schema } = this.#pack;
    const tables = tablesOf(this.#pack);
    const rows = async (text: string, values: readonly unknown[]): Promise<readonly Row[]> =>
      (await this.#pool.query({ text, values, timeoutMs: this.#limits.timeoutMs, maxRows: MAX_COLUMNS })).rows;
    if (schema === undefined) return new ProbedSchema('pg_catalog', await rows(CATALOG_COLUMNS, [tables]), []);
    const values = [schema, tables];
    return new ProbedSchema(schema, await rows(COLUMNS, values), await rows(INDEXES, values));
  }
}

/** The columns that each query needs or uses. */
export function queryNeeds({
  gauges,
  counters,
}: Pick<QuerySet, 'gauges' | 'counters'>): Readonly<Record<string, Pick<GaugeQuery, 'needs' | 'uses'>>> {
  return { ...gauges, ...counters };
}

/** The tables that these queries need or use. */
export function tablesOf(queries: Pick<QuerySet, 'gauges' | 'counters'>): string[] {
  const columns = Object.values(queryNeeds(queries)).flatMap(({ needs, uses = {} }) => [needs, uses]);
  return [...new Set(columns.flatMap((byTable) => Object.keys(byTable)))];
}

/** information_schema shows only columns that the role may read. */
const COLUMNS = `
  select table_name, column_name from information_schema.columns
  where table_schema = $1 and table_name = any ($2)`;

/**
 * The columns of PostgreSQL's own relations and of those of extensions, and the functions that the role may call. A
 * relation with such a name that belongs to neither is anybody's.
 */
const CATALOG_COLUMNS = `
  select relation.relname::text as table_name, a.attname::text as column_name, n.nspname::text as schema_name
  from pg_class relation
  join pg_namespace n on n.oid = relation.relnamespace
  join pg_attribute a on a.attrelid = relation.oid and a.attnum > 0 and not a.attisdropped
  where relation.relname = any ($1)
    and (n.nspname = 'pg_catalog' or exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = relation.oid and d.deptype = 'e'))
    and has_schema_privilege(n.oid, 'usage') and has_column_privilege(relation.oid, a.attnum, 'select')
  union all
  select name, 'execute', 'pg_catalog' from unnest($1) name
  where name like '%)' and has_function_privilege(to_regprocedure('pg_catalog.' || name), 'execute')`;

/** Without partial indexes and indexes over expressions. */
const INDEXES = `
  select t.relname as table_name, array_agg(a.attname::text order by key.position) as columns
  from pg_index i
  join pg_class t on t.oid = i.indrelid
  cross join lateral unnest(i.indkey::int2[]) with ordinality key (number, position)
  join pg_attribute a on a.attrelid = t.oid and a.attnum = key.number
  where t.relnamespace = to_regnamespace(quote_ident($1)) and t.relname = any ($2)
    and i.indisvalid and i.indpred is null and i.indexprs is null
  group by i.indexrelid, t.relname`;

export class ProbedSchema implements QueriedSchema {
  readonly #name: string;
  readonly #columns: ReadonlySet<string>;
  /** The schemas of tables that are in another one. */
  readonly #elsewhere = new Map<string, string>();
  /** The results of `indexKey`. */
  readonly #indexes: readonly string[];

  /**
   * @param columns rows of `table_name` and `column_name`, and `schema_name` for a table of another schema.
   * @param indexes rows of `table_name` and `columns`.
   */
  constructor(name: string, columns: readonly Row[], indexes: readonly Row[]) {
    this.#name = name;
    for (const { table_name, schema_name } of columns)
      if (typeof schema_name === 'string') this.#elsewhere.set(String(table_name), schema_name);
    this.#columns = new Set(columns.map((row) => `${String(row['table_name'])}.${String(row['column_name'])}`));
    this.#indexes = indexes.map((row) => indexKey(String(row['table_name']), row['columns'] as readonly string[]));
  }

  readonly table = (name: string): string =>
    `${quoteIdentifier(this.#elsewhere.get(name) ?? this.#name)}.${quoteIdentifier(name)}`;

  /** True if the role may read none of the tables: the pack is not in use on this database. */
  get isEmpty(): boolean {
    return this.#columns.size === 0;
  }

  readonly has = (table: string, column: string): boolean => this.#columns.has(`${table}.${column}`);

  readonly hasIndex = (table: string, columns: readonly string[]): boolean =>
    this.#indexes.some((key) => key.startsWith(indexKey(table, columns)));

  missing(needs: TableColumns): string[] {
    const missing = Object.entries(needs).flatMap(([table, columns]) =>
      columns.filter((column) => !this.has(table, column)).map((column) => `${table}.${column}`),
    );
    return [...new Set(missing)];
  }
}

/** The key of an index starts with the key of each prefix of its columns. */
function indexKey(table: string, columns: readonly string[]): string {
  return [table, ...columns, ''].join('\0');
}

/** Logs the columns that the schema lacks, and again only after a change. */
export class SchemaReport {
  readonly #logger: Logger;
  readonly #isExpected: boolean;
  #lastSaid = '{}';

  /** @param isExpected true for the catalogs of servers, which differ. */
  constructor(logger: Logger, { isExpected = false }: { readonly isExpected?: boolean } = {}) {
    this.#logger = logger;
    this.#isExpected = isExpected;
  }

  found(missing: MissingByQuery): void {
    const lacking = { ...columnsBy('off', missing, 'needed'), ...columnsBy('reduced', missing, 'optional') };
    const text = JSON.stringify(lacking);
    if (text === this.#lastSaid) return;
    this.#lastSaid = text;
    if (text === '{}') this.#logger.info('No columns are missing: all queries are on');
    else if (this.#isExpected)
      this.#logger.info(lacking, 'This server or role lacks what some queries read: they have no values, or fewer');
    else this.#logger.warn(lacking, 'Columns are missing or not granted: queries are off or return less');
  }
}

/** `{ [field]: { query: columns } }`; empty if no query lacks a column. */
function columnsBy(field: string, missing: MissingByQuery, kind: keyof MissingColumns): Record<string, unknown> {
  const lacking = [...missing].filter(([, columns]) => columns[kind].length > 0);
  if (lacking.length === 0) return {};
  return { [field]: Object.fromEntries(lacking.map(([query, columns]) => [query, columns[kind]])) };
}
