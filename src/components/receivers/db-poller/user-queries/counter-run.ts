import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { ExactPolling, type ExactPollingSettings } from '../counters/counter-run.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { PollContext } from '../run/poll-context.ts';
import type { Poll, PolledQuery } from '../run/polled-query.ts';
import type { OwnRowsConfig } from './config.ts';
import { ownRows } from './counter.ts';
import { ownTable } from './table.ts';

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

  async prepare(schema: Schema, signal: AbortSignal): Promise<void> {
    await (await this.#opened(signal)).prepare(schema, signal);
  }

  async poll(schema: Schema, signal: AbortSignal): Promise<Poll> {
    return await (await this.#opened(signal)).poll(schema, signal);
  }

  async retract(): Promise<void> {
    await this.#polling?.retract();
  }

  async #opened(signal: AbortSignal): Promise<ExactPolling> {
    if (this.#polling) return this.#polling;
    const { key, flaws } = await ownTable(this.#config, async (text, values) => await this.#ask(text, values, signal));
    const fatal = flaws.find(({ failure }) => failure);
    if (fatal) throw new PostgresError(fatal.failure!, fatal.what, { repair: fatal.repair });
    this.#polling = new ExactPolling(this.#config.name, ownRows(this.#config, key), this.#settings, this.#context);
    return this.#polling;
  }

  async #ask(text: string, values: readonly unknown[], signal: AbortSignal): Promise<readonly Row[]> {
    const { timeoutMs } = this.#settings;
    return (await this.#context.pool.query({ text, values, timeoutMs, maxRows: 1, signal })).rows;
  }
}
