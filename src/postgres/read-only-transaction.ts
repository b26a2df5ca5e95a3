import type { ClientBase, QueryConfig } from 'pg';
import { PostgresError } from './postgres-error.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface ReadOnlyStatement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** More rows than this are an error: the answer is held in memory. */
  readonly maxRows: number;
  /** Values as the server wrote them, instead of JavaScript's types. */
  readonly asText?: boolean;
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
const asTheServerWroteIt = { getTypeParser: () => String };

function bounded({ text, values = [], maxRows, asText = false }: ReadOnlyStatement): ExtendedQuery {
  return {
    // SHOW cannot stand in a subquery, and gives few rows. The text may end in a comment.
    text: SHOW.test(text) ? text : `select * from (${text}\n) as bounded limit ${maxRows + 1}`,
    values: [...values],
    queryMode: 'extended',
    ...(asText ? { types: asTheServerWroteIt } : {}),
  };
}
