import type { ClientBase, QueryConfig } from 'pg';
import { PostgresError } from './postgres-error.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface ReadOnlyStatement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** More rows than this are an error, because the answer is held in memory. */
  readonly maxRows: number;
  /**
   * The values that become JavaScript values; all others stay text as the server wrote it. `all`: every type that the
   * driver knows, the default. `scalars`: numbers and booleans. `none`: no value.
   */
  readonly parsed?: 'all' | 'scalars' | 'none';
}

export interface StatementResult {
  readonly rows: readonly Row[];
  /** The OID of each column's type, by name. */
  readonly columns: ReadonlyMap<string, number>;
}

/** Statements on one snapshot, taken by the first statement. */
export class ReadOnlyTransaction {
  /** True on the admin console of pgbouncer, which is not a database. */
  readonly isConsole: boolean = false;
  readonly #client: ClientBase;
  readonly #startedAt = performance.now();

  /** @param client a client inside a transaction. */
  constructor(client: ClientBase) {
    this.#client = client;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** @throws PostgresError, with the place of a mistake in the statement. */
  async query(statement: ReadOnlyStatement): Promise<StatementResult> {
    const { rows, fields } = await asked(this.#client.query<Row>(bounded(statement)), bounding(statement.text));
    const { maxRows } = statement;
    if (rows.length > maxRows) throw new PostgresError('too_many_rows', `more than ${maxRows} rows`);
    return { rows, columns: new Map(fields.map(({ name, dataTypeID }) => [name, dataTypeID])) };
  }

  /**
   * The plan of a statement, which is not run, as `explain (format json)` writes it.
   *
   * @throws PostgresError, with the place of a mistake in `text`.
   */
  async plan(text: string): Promise<unknown> {
    const explain = { text: `${EXPLAIN}${text}`, queryMode: 'extended' } as ExtendedQuery;
    try {
      return (await this.#client.query<Row>(explain)).rows[0]?.['QUERY PLAN'];
    } catch (error) {
      throw PostgresError.from(error, { before: EXPLAIN });
    }
  }

  /** All rows of a statement, in chunks. Only one statement at a time. @throws PostgresError */
  async *chunks(text: string, chunkRows: number): AsyncGenerator<readonly Row[]> {
    await asked(this.#client.query(`declare chunks no scroll cursor for ${text}`));
    const fetch = async (): Promise<readonly Row[]> =>
      (await asked(this.#client.query<Row>(`fetch ${chunkRows} from chunks`))).rows;
    for (let next: Promise<readonly Row[]> | undefined = fetch(); next;) {
      const rows: readonly Row[] = await next;
      // PostgreSQL reads the next chunk while this one is used.
      next = rows.length < chunkRows ? undefined : fetch();
      // If the use of this chunk fails, the next one is not awaited.
      next?.catch(() => undefined);
      if (rows.length > 0) yield rows;
    }
    await asked(this.#client.query('close chunks'));
  }
}

const EXPLAIN = 'explain (verbose, costs off, format json) ';

/**
 * Converts errors of the driver.
 *
 * @param before the text that was sent before the statement.
 * @throws PostgresError
 */
export async function asked<T>(answer: Promise<T>, before = ''): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw PostgresError.from(error, { before });
  }
}

/** The extended protocol accepts a single statement, so no text can end the read-only transaction and continue outside of it. */
interface ExtendedQuery extends QueryConfig {
  readonly queryMode: 'extended';
}

const SHOW = /^\s*show\s/i;

/** Parsers by the OIDs of pg_type, which never change. int8 and numeric are missing, because they have more digits than a number. */
const scalars = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'], // bool
  [21, Number], // int2
  [23, Number], // int4
  [26, Number], // oid
  [700, Number], // float4
  [701, Number], // float8
]);

const parsers = {
  all: {},
  scalars: { types: { getTypeParser: (oid: number) => scalars.get(oid) ?? String } },
  none: { types: { getTypeParser: () => String } },
} as const;

/** The beginning of a bounded statement. SHOW cannot be a subquery, and returns few rows. */
function bounding(text: string): string {
  return SHOW.test(text) ? '' : 'select * from (';
}

function bounded({ text, values = [], maxRows, parsed = 'all' }: ReadOnlyStatement): ExtendedQuery {
  return {
    // The text may end with a comment, hence the line break.
    text: SHOW.test(text) ? text : `${bounding(text)}${text}\n) as bounded limit ${maxRows + 1}`,
    values: [...values],
    queryMode: 'extended',
    ...parsers[parsed],
  };
}
