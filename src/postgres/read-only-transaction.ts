import type { ClientBase, QueryConfig } from 'pg';
import { PostgresError } from './postgres-error.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface ReadOnlyStatement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** More rows than this are an error: the answer is held in memory. */
  readonly maxRows: number;
  /**
   * Of which values JavaScript's own are made, and which stay the texts that the server wrote: of all that the driver
   * knows, unless said otherwise; of numbers and truth values alone; of none.
   */
  readonly parsed?: 'all' | 'scalars' | 'none';
}

export interface StatementResult {
  readonly rows: readonly Row[];
  /** The OID of each column's type, by name. */
  readonly columns: ReadonlyMap<string, number>;
}

/** Statements that all see the database as it was at the first of them. */
export class ReadOnlyTransaction {
  readonly #client: ClientBase;
  readonly #startedAt = performance.now();

  /** @param client in a transaction. */
  constructor(client: ClientBase) {
    this.#client = client;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** @throws PostgresError */
  async query(statement: ReadOnlyStatement): Promise<StatementResult> {
    const { rows, fields } = await asked(this.#client.query<Row>(bounded(statement)));
    const { maxRows } = statement;
    if (rows.length > maxRows) throw new PostgresError('too_many_rows', `more than ${maxRows} rows`);
    return { rows, columns: new Map(fields.map(({ name, dataTypeID }) => [name, dataTypeID])) };
  }

  /** All rows of a statement, in chunks; one statement at a time. @throws PostgresError */
  async *chunks(text: string, chunkRows: number): AsyncGenerator<readonly Row[]> {
    await asked(this.#client.query(`declare chunks no scroll cursor for ${text}`));
    for (let isLast = false; !isLast;) {
      const { rows } = await asked(this.#client.query<Row>(`fetch ${chunkRows} from chunks`));
      isLast = rows.length < chunkRows;
      if (rows.length > 0) yield rows;
    }
    await asked(this.#client.query('close chunks'));
  }
}

/** @throws PostgresError where the driver has an error of its own. */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw PostgresError.from(error);
  }
}

/** The extended protocol takes a single statement, so that no text can end the read-only transaction and go on outside. */
interface ExtendedQuery extends QueryConfig {
  readonly queryMode: 'extended';
}

const SHOW = /^\s*show\s/i;

/** By the OIDs of pg_type, which never change. Not int8 and numeric, which have more digits than a number. */
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

function bounded({ text, values = [], maxRows, parsed = 'all' }: ReadOnlyStatement): ExtendedQuery {
  return {
    // SHOW cannot stand in a subquery, and gives few rows. The text may end in a comment.
    text: SHOW.test(text) ? text : `select * from (${text}\n) as bounded limit ${maxRows + 1}`,
    values: [...values],
    queryMode: 'extended',
    ...parsers[parsed],
  };
}
