import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Random } from './random.ts';
import { CHANNELS, CHILDREN, REGIONS } from './shop-tables.ts';

const PAUSE_MS = [20, 250] as const;
const RECONNECT_MS = 200;
/** A crash can take an answer without closing the connection. */
const PATIENCE = { connectionTimeoutMillis: 5000, query_timeout: 30_000 };
const SESSION = "set lock_timeout = '2s'; set statement_timeout = '20s'";
/** Errors of a statement that another session, or a detached partition, made impossible: 23514 is a row without a partition. */
const HARMLESS = /^(?:23514|40|55)/;

/**
 * Writes to the tables of the shop, also in prepared transactions that others end. It keeps no account: no row is ever
 * deleted, so in the end all rows of the tables must have counted.
 */
export class ShopWriter {
  readonly #url: string;
  readonly #random: Random;
  readonly #name: string;
  #client: Client | undefined;
  #prepared = 0;

  constructor(url: string, name: string, random: Random) {
    this.#url = url;
    this.#name = name;
    this.#random = random;
  }

  /** Writes until the signal, and leaves no transaction open. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#transaction(await this.#connected());
      } catch (error) {
        await this.#leave(error);
      }
      await sleep(this.#random.between(...PAUSE_MS));
    }
    void this.#client?.end();
  }

  async #transaction(client: Client): Promise<void> {
    const random = this.#random;
    await client.query('begin');
    for (let part = random.between(1, 3); part > 0; part--) await client.query(this.#statement());
    if (random.happens(0.1)) {
      await client.query('savepoint undone');
      await client.query(this.#statement());
      await client.query('rollback to savepoint undone');
    }
    if (random.happens(0.15)) await this.#prepare(client);
    else {
      if (random.happens(0.05)) await sleep(random.between(100, 1500));
      await client.query(random.happens(0.1) ? 'rollback' : 'commit');
    }
  }

  /**
   * The first phase of a two-phase commit; the second comes from another session, after a while. A transaction is also
   * prepared if a crash of the server took the answer.
   */
  async #prepare(client: Client): Promise<void> {
    const name = `${this.#name}_${this.#prepared++}`;
    try {
      await client.query(`prepare transaction '${name}'`);
      await sleep(this.#random.between(0, 1000));
    } finally {
      await endPrepared(this.#url, name, this.#random);
    }
  }

  #statement(): string {
    const random = this.#random;
    const channel = random.pick(CHANNELS);
    const rows = random.happens(0.02) ? 3000 : random.between(1, 20);
    const many = `from generate_series(1, ${rows})`;
    const some = `id in (select id from shop.orders order by random() limit ${random.between(1, 20)})`;
    const region = random.pick(REGIONS);
    const table = random.pick(['events', ...CHILDREN]);
    const time = random.pick(['now()', 'now()', 'now()', `now() - interval '3 h'`, 'null']);
    return random.pick([
      `insert into shop.orders (region, channel, created_at) select '${region}', '${channel}', ${time} ${many}`,
      `update shop.orders set paid_at = now() where ${some}`,
      `update shop.orders set region = '${region}' where ${some}`,
      `insert into shop.${table} (id, channel, created_at) select nextval('shop.${table}_id_seq'), '${channel}', ${time} ${many}`,
      `update shop.events set state = state + 1 where id % 50 = ${random.between(0, 49)}`,
      `insert into shop.readings (channel) select '${channel}' ${many}`,
      `update shop.readings set state = state + 1 where id % 50 = ${random.between(0, 49)}`,
      `insert into shop.payments (channel) select '${channel}' ${many}`,
    ]);
  }

  /** Continues after a harmless error, and connects again after any other that concerns the server. @throws the others */
  async #leave(failure: unknown): Promise<void> {
    const code = failure instanceof Error && 'code' in failure ? String(failure.code) : '';
    if (/^(?:22|23|42)/.test(code) && !HARMLESS.test(code)) throw failure;
    if (HARMLESS.test(code) && (await this.#rollBack())) return;
    const abandoned = this.#client;
    this.#client = undefined;
    void abandoned?.end();
    await sleep(RECONNECT_MS);
  }

  async #rollBack(): Promise<boolean> {
    try {
      await this.#client?.query('rollback');
      return true;
    } catch {
      return false;
    }
  }

  async #connected(): Promise<Client> {
    if (this.#client) return this.#client;
    const client = new Client({ connectionString: this.#url, application_name: 'writer', ...PATIENCE });
    // The next query reports a lost connection.
    client.on('error', () => undefined);
    await client.connect();
    await client.query(SESSION);
    this.#client = client;
    return client;
  }
}

/** Commits or rolls back a prepared transaction, as soon as the server answers. */
async function endPrepared(url: string, name: string, random: Random): Promise<void> {
  const ending = random.happens(0.7) ? 'commit' : 'rollback';
  for (;;) {
    const client = new Client({ connectionString: url, ...PATIENCE });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(`${ending} prepared '${name}'`);
      return;
    } catch (error) {
      // It is already over.
      if (error instanceof Error && 'code' in error && error.code === '42704') return;
      await sleep(RECONNECT_MS);
    } finally {
      void client.end();
    }
  }
}
