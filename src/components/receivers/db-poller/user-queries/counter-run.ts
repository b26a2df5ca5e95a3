import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { CounterRun, type CounterRunSettings } from '../counters/counter-run.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { RunContext } from '../run/query-run.ts';
import type { Poll, QueryRun } from '../run/query-run.ts';
import type { UserCounterConfig } from './config.ts';
import { userCounter } from './counter.ts';
import { askedDatabase } from './asked-database.ts';
import { userTable } from './table.ts';

/** Counts the rows of a table of the user. It looks up the table first, for its primary key and for flaws. */
export class UserCounterRun implements QueryRun {
  readonly needs: TableColumns = {};
  readonly #config: UserCounterConfig;
  readonly #settings: CounterRunSettings;
  readonly #context: RunContext;
  #polling: CounterRun | undefined;

  constructor(config: UserCounterConfig, settings: CounterRunSettings, context: RunContext) {
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

  async #opened(signal: AbortSignal): Promise<CounterRun> {
    if (this.#polling) return this.#polling;
    const limits = { timeoutMs: this.#settings.timeoutMs, signal };
    const { key, flaws } = await userTable(this.#config, askedDatabase(this.#context.pool, limits));
    const fatal = flaws.find(({ failure }) => failure);
    if (fatal) throw new PostgresError(fatal.failure!, fatal.what, { repair: fatal.repair });
    this.#polling = new CounterRun(this.#config.name, userCounter(this.#config, key), this.#settings, this.#context);
    return this.#polling;
  }
}
