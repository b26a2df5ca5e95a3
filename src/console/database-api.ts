import { jsonText } from '../engine/json-text.ts';
import type { AskQuery, QueryAnswer, QueryApi } from '../engine/query-apis.ts';
import type { DataSource } from './data-source.ts';
import type { DatabaseState, TableState, Waits } from './database-state.ts';
import { DATABASE_TABLES, ELECTION_FAILURES, LEADS, type NumberTable } from './database-tables.ts';
import { PrometheusSource } from './prometheus-source.ts';
import { shownPart } from './shown-part.ts';
import { linesOf } from './table-lines.ts';

const MOST_LINES = 50;
const MOST_WAITS = '20';

/** Answers `/api/database`. Without the history or the store, it answers what is left. */
export class DatabaseApi implements QueryApi {
  readonly prefix = '/api/database';
  readonly #ask: AskQuery;

  constructor(ask: AskQuery) {
    this.#ask = ask;
  }

  async answer(_path: string, _parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer> {
    const atUnixMs = Date.now();
    const source = new PrometheusSource(async (path, parameters) => await this.#ask(path, parameters, hasRoom));
    const missing: string[] = [];
    const orNone = <T>(none: T): ((error: Error) => T) => {
      return ({ message }) => {
        missing.push(message);
        return none;
      };
    };
    const [numbers, waits] = await Promise.all([
      numbersAt(source, atUnixMs / 1000).catch(orNone({ tables: [], idle: [] })),
      this.#waits(hasRoom).catch(orNone({})),
    ]);
    const { tables, idle } = numbers;
    const state: DatabaseState = { atUnixMs, tables, ...waits, missing: [...missing, ...idle] };
    return { status: 200, body: jsonText(state) };
  }

  async #waits(hasRoom: () => boolean): Promise<Waits> {
    const { status, body } = await this.#ask('/api/lock-waits', new URLSearchParams({ limit: MOST_WAITS }), hasRoom);
    const { lockWaits, left, error } = JSON.parse(body) as Waits & { readonly error: string };
    if (status !== 200) throw new Error(error);
    return { lockWaits, left };
  }
}

/** One query after the other: the history lets few of them wait. */
async function numbersAt(
  source: DataSource,
  atS: number,
): Promise<{ readonly tables: readonly TableState[]; readonly idle: readonly string[] }> {
  const tables: TableState[] = [];
  for (const table of DATABASE_TABLES) tables.push(await tableAt(source, atS, table));
  return { tables, idle: await idlePollers(source, atS) };
}

/** Describes each receiver that does not poll. */
async function idlePollers(source: DataSource, atS: number): Promise<readonly string[]> {
  const failures = await source.at(ELECTION_FAILURES, atS);
  const failing = new Set(failures.filter(({ value }) => value > 0).map(({ labels }) => labels['receiver']));
  const leaders = await source.at(LEADS, atS);
  const idle = leaders.filter(({ value }) => value === 0).map(({ labels }) => labels['receiver'] ?? '');
  return idle.map((receiver) =>
    failing.has(receiver)
      ? `${receiver} does not reach its database: siphon doctor names the cause`
      : `${receiver} is on standby: another sidecar polls its database`,
  );
}

async function tableAt(
  source: DataSource,
  atS: number,
  { sortBy, gap, readAge, ...table }: NumberTable,
): Promise<TableState> {
  const answers: Parameters<typeof linesOf>[0][number][] = [];
  for (const { name, expression } of table.columns) {
    const samples = await source.at(expression, atS);
    // A ratio of 0 to 0 is not known.
    answers.push({ query: { legend: name }, samples: samples.filter(({ value }) => Number.isFinite(value)) });
  }
  const { shown, left } = shownPart(linesOf(answers, { labels: table.labels, sortBy }), MOST_LINES);
  const lines = shown.map(({ labels, values }) => ({ labels, values: values.map((value) => value ?? null) }));
  const [read] = readAge === undefined ? [] : await source.at(readAge, atS);
  const isGappy = gap !== undefined && lines.some(({ values }) => values.includes(null));
  return { ...table, ...(read && { readS: read.value }), ...(isGappy && { gap }), lines, left };
}
