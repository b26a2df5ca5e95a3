import type { ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { Pack, PackSchema, PollQuery, TableColumns } from './pack.ts';

const PROBE_AGAIN_AFTER_MS = 10 * 60_000;
const MAX_COLUMNS = 10_000;

/** What a query misses, as `table.column`; none that is missing: the query is on. */
export type MissingByQuery = ReadonlyMap<string, readonly string[]>;

/** Knows which of the columns that a pack asks for exist and may be read by this role. Asked at most once at a time. */
export class SchemaProbe {
  readonly #pool: ReadOnlyPool;
  readonly #pack: Pack & { readonly schema: string };
  readonly #timeoutMs: number;
  readonly #onResult: (missing: MissingByQuery) => void;
  #found: { readonly schema: ProbedSchema; readonly atMs: number } | undefined;
  #running: Promise<ProbedSchema> | undefined;

  constructor(
    pool: ReadOnlyPool,
    pack: Pack & { readonly schema: string },
    timeoutMs: number,
    onResult: (missing: MissingByQuery) => void,
  ) {
    this.#pool = pool;
    this.#pack = pack;
    this.#timeoutMs = timeoutMs;
    this.#onResult = onResult;
  }

  /** @throws PostgresError */
  async schema(): Promise<ProbedSchema> {
    if (this.#found && performance.now() - this.#found.atMs < PROBE_AGAIN_AFTER_MS) return this.#found.schema;
    this.#running ??= this.#probe().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The next question goes to the database again. */
  forget(): void {
    this.#found = undefined;
  }

  async #probe(): Promise<ProbedSchema> {
    const { rows } = await this.#pool.query({
      text: `select table_name, column_name from information_schema.columns
             where table_schema = $1 and table_name = any ($2)`,
      values: [this.#pack.schema, tablesOf(this.#pack.queries)],
      timeoutMs: this.#timeoutMs,
      maxRows: MAX_COLUMNS,
    });
    const columns = new Set(rows.map((row) => `${String(row['table_name'])}.${String(row['column_name'])}`));
    const schema = new ProbedSchema(this.#pack.schema, columns);
    this.#found = { schema, atMs: performance.now() };
    this.#onResult(new Map(this.#pack.queries.map((query) => [query.name, schema.missing(query.needs)])));
    return schema;
  }
}

export class ProbedSchema implements PackSchema {
  readonly #name: string;
  readonly #columns: ReadonlySet<string>;

  constructor(name: string, columns: ReadonlySet<string>) {
    this.#name = name;
    this.#columns = columns;
  }

  readonly table = (name: string): string => `${quoteIdentifier(this.#name)}.${quoteIdentifier(name)}`;

  readonly has = (table: string, column: string): boolean => this.#columns.has(`${table}.${column}`);

  missing(needs: TableColumns): string[] {
    return Object.entries(needs).flatMap(([table, columns]) =>
      columns.filter((column) => !this.has(table, column)).map((column) => `${table}.${column}`),
    );
  }
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function tablesOf(queries: readonly PollQuery[]): string[] {
  return [...new Set(queries.flatMap(({ needs, uses }) => [...Object.keys(needs), ...Object.keys(uses ?? {})]))];
}
