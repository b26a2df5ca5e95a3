/** Failures of the database and the network while writers write. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runSql, type TestPostgres } from '../support/postgres/test-postgres.ts';
import type { TcpProxy } from '../support/network/tcp-proxy.ts';
import type { Random } from './random.ts';

const TABLES = ['scrape_runs', 'scrape_artifacts', 'prices', 'coffees', 'variants'];

const DELETE_EVERY_MS = 50;

export interface Disaster {
  readonly name: string;
  readonly happen: () => Promise<void>;
}

/** Lets each disaster happen once at some moment of the time given; resolves when all are over. */
export async function spread(
  disasters: readonly Disaster[],
  settings: { readonly durationMs: number; readonly random: Random; readonly tell: (name: string) => void },
): Promise<void> {
  const { durationMs, random, tell } = settings;
  const planned = disasters.map((disaster) => ({ disaster, atMs: random.next() * durationMs }));
  await Promise.all(
    planned.map(async ({ disaster, atMs }) => {
      await sleep(atMs);
      tell(disaster.name);
      await disaster.happen();
    }),
  );
}

/** The server shuts down and starts again; if the simulation does not own it, all sessions are ended, which looks the same to clients. */
export function restart(database: TestPostgres): Disaster {
  const { server } = database;
  return {
    name: server ? 'the database restarts' : 'every session of the database is ended',
    happen: async () => {
      if (server) {
        await server.pause();
        await sleep(500);
        await server.resume();
      } else {
        await database.sql(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()`,
        );
      }
    },
  };
}

/** Connections break, or nothing gets through them for a while. */
export function cutNetwork(proxy: TcpProxy, random: Random): Disaster {
  const isSilent = random.happens(0.5);
  return {
    name: isSilent ? 'the network falls silent' : 'the network is cut',
    happen: async () => {
      if (isSilent) {
        proxy.silence();
        await sleep(random.between(500, 3000));
        proxy.resume();
      } else {
        proxy.cut();
      }
    },
  };
}

/** Vacuums tables until the signal, freezing every row; resolves to how many. */
export async function vacuum(url: string, random: Random, signal: AbortSignal): Promise<number> {
  let times = 0;
  while (!signal.aborted) {
    // While the database is away there is nothing to vacuum.
    const done = await runSql(url, `vacuum (freeze, analyze) ${random.pick(TABLES)}`).catch(() => undefined);
    if (done) times++;
    await sleep(random.between(200, 1500));
  }
  return times;
}

/** Statements that delete rows which are known to have been counted, and on which nothing depends that is still to be counted. */
export async function findDoomed(url: string): Promise<readonly string[]> {
  const rows = await runSql(
    url,
    `select format('delete from %I where id = any (%L)', "table", array_agg(id)) as statement
     from (select *, row_number() over (partition by "table" order by id) / 20 as batch from (
       select 'prices' as "table", id from prices p
       where random() < 0.01 and scraped_at < (select max(scraped_at) from prices o where o.variant_id = p.variant_id)
       union all select 'scrape_artifacts', id from scrape_artifacts where random() < 0.02
       union all select 'scrape_runs', id from scrape_runs run
       where random() < 0.05 and finished_at is not null and status is not null
         and not exists (select from scrape_artifacts a where a.run_id = run.id)) doomed) batches
     group by "table", batch`,
  );
  return rows.map(({ statement }) => String(statement));
}

/** One after the other until the signal; resolves to how many rows were deleted. */
export async function deleteAll(url: string, statements: readonly string[], signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for (const statement of statements) {
    if (signal.aborted) break;
    // A failure because the database is unavailable is ignored.
    const rows = await runSql(url, `${statement} returning id`).catch(() => []);
    deleted += rows.length;
    await sleep(DELETE_EVERY_MS);
  }
  return deleted;
}
