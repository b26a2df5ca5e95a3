import { ExactPolling, type ExactPollingSettings } from '../exact/exact-polling.ts';
import type { PackSchema, TableColumns } from '../pack.ts';
import type { PollContext } from '../poll-context.ts';
import type { Poll, PolledQuery } from '../polled-query.ts';
import type { OwnRowsConfig } from './config.ts';
import { quoted } from './own-labels.ts';
import { ownRows } from './own-rows.ts';

const MAX_KEY_COLUMNS = 32;

/** Counts the rows of a table whose key, where the configuration does not name it, the database knows. */
export class OwnRowsPolling implements PolledQuery {
  readonly needs: TableColumns = {};
  readonly #config: OwnRowsConfig;
  readonly #settings: ExactPollingSettings;
  readonly #context: PollContext;
  #polling: ExactPolling | undefined;

  constructor(config: OwnRowsConfig, settings: ExactPollingSettings, context: PollContext) {
    this.#config = config;
    this.#settings = settings;
    this.#context = context;
  }

  async prepare(schema: PackSchema, signal: AbortSignal): Promise<void> {
    await (await this.#opened(signal)).prepare(schema, signal);
  }

  async poll(schema: PackSchema, signal: AbortSignal): Promise<Poll> {
    return await (await this.#opened(signal)).poll(schema, signal);
  }

  async retract(): Promise<void> {
    await this.#polling?.retract();
  }

  async #opened(signal: AbortSignal): Promise<ExactPolling> {
    if (this.#polling) return this.#polling;
    const key = this.#config.key ?? (await this.#primaryKey(signal));
    this.#polling = new ExactPolling(this.#config.name, ownRows(this.#config, key), this.#settings, this.#context);
    return this.#polling;
  }

  async #primaryKey(signal: AbortSignal): Promise<readonly string[]> {
    const { timeoutMs } = this.#settings;
    const table = this.#config.table.split('.').map(quoted).join('.');
    const asked = { text: PRIMARY_KEY, values: [table], timeoutMs, maxRows: MAX_KEY_COLUMNS, signal };
    const { rows } = await this.#context.pool.query(asked);
    if (rows.length === 0) throw new Error(`table ${this.#config.table} has no primary key: set key`);
    return rows.map(({ name }) => String(name));
  }
}

const PRIMARY_KEY = `
  select a.attname::text as name
  from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality key (number, position)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.number
  where i.indrelid = $1::regclass and i.indisprimary order by key.position`;
