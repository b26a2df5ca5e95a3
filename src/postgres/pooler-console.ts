import type { ClientBase } from 'pg';
import type { Secret } from '../engine/schema/secret.ts';
import { readKeywords } from './datasource/keywords.ts';
import { PostgresError } from './postgres-error.ts';
import { asked, ReadOnlyTransaction, type ReadOnlyStatement, type Row, type StatementResult } from './read-only-transaction.ts'; // prettier-ignore

/** The name of the database that pgbouncer answers itself. A server may have a real one of that name. */
export function mayBeConsole(datasource: Secret): boolean {
  return readKeywords(datasource.reveal())?.['dbname'] === 'pgbouncer';
}

/**
 * PostgreSQL has no setting `version`. The answer of the console is a row, or before pgbouncer 1.12 only a notice.
 *
 * @param ask runs one statement by the simple protocol, which is the only one that the console knows.
 */
export async function isConsole(ask: (text: string) => Promise<unknown>): Promise<boolean> {
  try {
    await ask('show version');
    return true;
  } catch {
    return false;
  }
}

const SHOW = /^\s*show\s+[a-z_]+\s*$/i;

/** The admin console of pgbouncer. It has no transactions and no settings, and would obey `shutdown`: only SHOW reaches it. */
export class PoolerConsole extends ReadOnlyTransaction {
  override readonly isConsole = true;
  readonly #client: ClientBase;

  constructor(client: ClientBase) {
    super(client);
    this.#client = client;
  }

  override async query({ text, maxRows }: ReadOnlyStatement): Promise<StatementResult> {
    if (!SHOW.test(text)) throw onlyShow();
    const { rows, fields } = await asked(this.#client.query<Row>(text));
    if (rows.length > maxRows) throw new PostgresError('too_many_rows', `more than ${maxRows} rows`);
    return { rows, columns: new Map(fields.map(({ name, dataTypeID }) => [name, dataTypeID])) };
  }

  override plan(): Promise<unknown> {
    return Promise.reject(onlyShow());
  }

  override chunks(): AsyncGenerator<readonly Row[]> {
    throw onlyShow();
  }
}

function onlyShow(): PostgresError {
  return new PostgresError('other', 'the admin console of pgbouncer answers only SHOW', {
    repair: 'Use a gauge with sql: show pools, show stats or show lists, and leader_election::enabled: false',
  });
}
