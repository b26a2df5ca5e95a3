/** Changes of tables, servers and settings while siphon counts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { TcpProxy } from '../support/network/tcp-proxy.ts';
import type { ReplicatedPostgres } from '../support/postgres/standby.ts';
import type { FragileSidecar } from './fragile-sidecar.ts';
import type { Random } from './random.ts';
import { CHANNELS, CHILDREN, REGIONS } from './shop-tables.ts';

export interface Attacked {
  readonly databases: ReplicatedPostgres;
  /** The address at which siphon finds its database. */
  readonly proxy: TcpProxy;
  readonly sidecar: FragileSidecar;
  readonly random: Random;
}

const RETRY_MS = 100;
/** Longer, and writers would wait for the lock that waits. */
const LOCK_TIMEOUT = '3s';

const SETTINGS = [
  ['timezone', ['Asia/Kolkata', 'America/St_Johns', 'UTC']],
  ['bytea_output', ['escape', 'hex']],
  ['extra_float_digits', ['0', '-5', '3']],
  ['datestyle', ['German', 'SQL, DMY', 'ISO, MDY']],
  ['intervalstyle', ['iso_8601', 'sql_standard', 'postgres']],
] as const;

export type AttackName = keyof ShopAttacks;

/** Each method is one attack, which leaves everything as siphon must be able to count it. */
export class ShopAttacks {
  readonly #attacked: Attacked;
  #new = 0;
  /** Attacks on tables and on the primary come one after the other: each knows what it has done. */
  #turn: Promise<void> = Promise.resolve();

  constructor(attacked: Attacked) {
    this.#attacked = attacked;
  }

  readonly kill = async (): Promise<void> => {
    await this.#attacked.sidecar.killAndRestart(this.#attacked.random.between(0, 1500));
  };

  readonly crash = async (): Promise<void> =>
    await this.#inTurn(() => this.#attacked.databases.restartPrimary('immediate'));

  /** A table that was loaded before, with old rows, becomes a partition. */
  readonly attach = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const region = `region_${this.#new++}`;
      await this.#insist([
        `create table shop.orders_${region} (like shop.orders including all excluding identity)`,
        `insert into shop.orders_${region} ${this.#orders(region, 500)}`,
      ]);
      await sleep(500);
      await this.#insist([this.#attachment(region)]);
    });

  /** A partition is away for a while, and written to meanwhile. */
  readonly detach = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const { random } = this.#attacked;
      const region = random.pick(REGIONS);
      await this.#insist([`alter table shop.orders detach partition shop.orders_${region}`]);
      await sleep(random.between(0, 600));
      await this.#insist([
        `insert into shop.orders_${region} ${this.#orders(region, 50)}`,
        `update shop.orders_${region} set paid_at = now() where id % 3 = 0`,
      ]);
      await sleep(random.between(0, 600));
      await this.#insist([this.#attachment(region)]);
    });

  /** Many rows move to other partitions. */
  readonly move = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const { random } = this.#attacked;
      await this.#insist([
        `update shop.orders set region = '${random.pick(REGIONS)}' where id in (${unlocked('shop.orders')}) and id % 5 = ${random.between(0, 4)}`,
      ]);
    });

  /** A loaded table begins to inherit; its rows have the numbers of others. */
  readonly inherit = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const child = `shop.events_${this.#new++}`;
      await this.#insist([
        `create table ${child} (like shop.events including all excluding identity)`,
        `insert into ${child} (id, channel, created_at) select n, '${this.#channel}', now() - interval '4 h' from generate_series(1, 200) n`,
      ]);
      await sleep(500);
      await this.#insist([`alter table ${child} inherit shop.events`]);
    });

  /** A table does not inherit for a while, and is written to meanwhile. */
  readonly disinherit = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const child = this.#attacked.random.pick(CHILDREN);
      await this.#insist([`alter table shop.${child} no inherit shop.events`]);
      await this.#insist([
        `insert into shop.${child} (id, channel) select nextval('shop.${child}_id_seq'), '${this.#channel}' from generate_series(1, 40)`,
      ]);
      await sleep(this.#attacked.random.between(0, 600));
      await this.#insist([`alter table shop.${child} inherit shop.events`]);
    });

  /** Files are replaced, rows keep their transactions. */
  readonly rewrite = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const { random } = this.#attacked;
      const table = random.pick([...REGIONS.map((region) => `orders_${region}`), 'events', 'readings']);
      await this.#insist([`vacuum full shop.${table}`]);
    });

  /** The settings of new sessions change, and rows whose keys depend on them are written again. */
  readonly settings = async (): Promise<void> =>
    await this.#inTurn(async () => {
      const { random, proxy } = this.#attacked;
      const changes = SETTINGS.map(
        ([name, values]) => `alter database postgres set ${name} = '${random.pick(values)}'`,
      );
      await this.#insist(changes);
      proxy.cut();
      await sleep(500);
      await this.#insist([`update shop.readings set state = state + 1 where id in (${unlocked('shop.readings')})`]);
    });

  /** The address leads to a standby that is behind, and later to the primary again. */
  readonly lag = async (): Promise<void> => {
    const { databases, proxy, random } = this.#attacked;
    await insist(databases.standbyUrl, ['select pg_wal_replay_pause()']);
    await sleep(random.between(300, 1500));
    proxy.leadTo(target(databases.standbyUrl));
    await sleep(random.between(300, 2000));
    await insist(databases.standbyUrl, ['select pg_wal_replay_resume()']);
    await sleep(random.between(300, 2000));
    proxy.leadTo(target(databases.primaryUrl));
  };

  get #channel(): string {
    return this.#attacked.random.pick(CHANNELS);
  }

  #orders(region: string, rows: number): string {
    return `select nextval('shop.orders_id_seq'), '${region}', '${this.#channel}', case when n % 2 = 0 then now() end, now() - interval '5 h'
            from generate_series(1, ${rows}) n`;
  }

  #attachment(region: string): string {
    return `alter table shop.orders attach partition shop.orders_${region} for values in ('${region}')`;
  }

  async #insist(statements: readonly string[]): Promise<void> {
    await insist(this.#attacked.databases.primaryUrl, statements);
  }

  async #inTurn(attack: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(attack);
    this.#turn = turn.catch(() => undefined);
    await turn;
  }
}

export function target(url: string): { readonly host: string; readonly port: number } {
  return { host: '127.0.0.1', port: Number(new URL(url).port) };
}

/** Rows without a writer: a statement that waits for all rows would never end among many writers. */
function unlocked(table: string): string {
  return `select id from ${table} for update skip locked`;
}

/** Runs each statement once, as often as it takes to get its locks. @throws any other error */
async function insist(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`);
    for (const statement of statements) await untilDone(client, statement);
  } finally {
    await client.end();
  }
}

async function untilDone(client: Client, statement: string): Promise<void> {
  for (;;) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!/^(?:40|55P03)/.test(code)) throw error;
      await sleep(RETRY_MS);
    }
  }
}
