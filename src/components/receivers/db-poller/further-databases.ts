import { withDatabase } from '../../../postgres/datasource/database-name.ts';
import { pollRepeatedly } from '../../../postgres/polling/poll-loop.ts';
import { PolledDatabase } from '../../../postgres/polling/polled-database.ts';
import { QueryHealth } from '../../../postgres/polling/query-health.ts';
import type { Row } from '../../../postgres/read-only-pool.ts';
import { MOST_DATABASES, type DbPollerConfig } from './config.ts';
import { furtherQueries, intervalAt, poolSettings, type ConfiguredPack } from './plan.ts';
import { instanceName } from './run/instance-name.ts';
import { queryPollers, type Shared } from './query-pollers.ts';

/** Polls, in each further database of the server, the queries that are about one database. */
export class FurtherDatabases {
  readonly #packs: readonly ConfiguredPack[];
  readonly #shared: Shared;
  readonly #polled = new Map<string, { readonly end: AbortController; readonly polling: Promise<void> }>();
  #leftOut = 0;

  /** @param packs with the queries that are polled. */
  constructor(packs: readonly ConfiguredPack[], shared: Shared) {
    this.#packs = packs;
    this.#shared = shared;
  }

  /** Runs until the signal aborts, and then retracts the series. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { config, context } = this.#shared;
    if (config.databases.length === 0 || this.#packs.length === 0) return;
    const intervalMs = intervalAt('slow', config.collection_interval);
    const health = new QueryHealth({ id: QUERY, intervalMs }, { retract: () => Promise.resolve() }, context);
    const listing = async (): Promise<unknown> => await health.attempt(signal, async () => await this.#list(signal, health)); // prettier-ignore
    await pollRepeatedly(listing, intervalMs, signal);
    await Promise.all([...this.#polled.keys()].map(async (name) => await this.#end(name)));
  }

  /** While the server does not answer, the databases stay the same. @throws PostgresError */
  async #list(signal: AbortSignal, health: QueryHealth): Promise<void> {
    const { config, context } = this.#shared;
    const startedAt = performance.now();
    const all = await furtherDatabases(config, async (text, values) => (await context.pool.query({ text, values, timeoutMs: config.timeout, maxRows: MAX_LISTED, signal })).rows); // prettier-ignore
    this.#report(Math.max(0, all.length - MOST_DATABASES));
    const names = new Set(all.slice(0, MOST_DATABASES));
    const gone = [...this.#polled.keys()].filter((name) => !names.has(name));
    await Promise.all(gone.map(async (name) => await this.#end(name)));
    for (const name of names) if (!this.#polled.has(name)) this.#begin(name, signal);
    health.succeeded(performance.now() - startedAt, all.length);
  }

  #report(leftOut: number): void {
    if (leftOut > 0 && this.#leftOut === 0)
      this.#shared.context.logger.warn({ polled: MOST_DATABASES, left_out: leftOut }, 'The server has more databases than are polled: name those that matter in databases'); // prettier-ignore
    this.#leftOut = leftOut;
  }

  #begin(name: string, signal: AbortSignal): void {
    const end = new AbortController();
    this.#polled.set(name, { end, polling: this.#poll(name, AbortSignal.any([signal, end.signal])) });
  }

  async #end(name: string): Promise<void> {
    const polled = this.#polled.get(name);
    this.#polled.delete(name);
    polled?.end.abort();
    await polled?.polling;
  }

  /** Ends when the signal aborts. A database that refuses connections fails on its own. */
  async #poll(name: string, signal: AbortSignal): Promise<void> {
    const { id, config, context } = this.#shared;
    const { metrics, logger } = context;
    const settings = { ...poolSettings(config, 1), datasource: withDatabase(config.datasource, name) };
    const database = await PolledDatabase.of(settings, { metrics, logger });
    const resource = { ...context.resource, 'service.instance.id': instanceName(id, database.name) };
    const here = { ...context, resource, pool: database.pool, logger: database.logger, databaseIncident: database.incident }; // prettier-ignore
    const planned = furtherQueries(config, this.#packs, name);
    const pollers = queryPollers(planned, this.#packs, { ...this.#shared, context: here });
    await Promise.all(pollers.map((poller) => poller.run(signal)));
    await Promise.all(pollers.map((poller) => poller.standBy()));
    await database.closePool();
    for (const query of planned) metrics.forget(query.id);
  }
}

/** The query that lists the databases, in metrics. */
const QUERY = 'databases';
const MAX_LISTED = 10_000;

/**
 * The names of the databases besides that of the datasource. The first MOST_DATABASES are polled: the oldest ones, so that
 * a new one does not replace another.
 *
 * @throws PostgresError
 */
export async function furtherDatabases(
  { databases, exclude_databases: excluded }: DbPollerConfig,
  ask: (text: string, values: readonly unknown[]) => Promise<readonly Row[]>,
): Promise<string[]> {
  if (databases.length === 0) return [];
  const rows = databases === 'all' ? await ask(ALL, [excluded]) : await ask(NAMED, [databases]);
  return rows.map(({ name }) => String(name));
}

const NAMED = `select distinct name from unnest($1::text[]) name where name <> current_database() order by name`;

/** An interrupted `drop database` leaves a database with the limit -2, which refuses connections. */
const ALL = `
  select datname::text as name from pg_database
  where datallowconn and datconnlimit <> -2 and not datistemplate and has_database_privilege(oid, 'connect')
    and datname <> current_database() and datname <> all ($1::text[]) and datname !~ '[[:cntrl:]]'
  order by oid`;
