import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Draft, type Ledger } from './ledger.ts';
import { bulkOperations, operations, settle, type Operation, type Possessions, type Work } from './operations.ts';
import type { Random } from './random.ts';

const RECONNECT_MS = 200;
const PAUSE_MS = [50, 600] as const;
const BULK_PROBABILITY = 0.05;
/** A writer that holds a lock through a slow commit delays others, but does not stop them. */
const SESSION = "set lock_timeout = '3s'; set statement_timeout = '30s'";

export interface WriterSettings {
  readonly url: string;
  readonly own: Possessions;
  readonly ledger: Ledger;
  readonly random: Random;
  /** True if the writer is behind its rate. */
  readonly isBehind: () => boolean;
}

/** One writer of many. Knows of each of its transactions whether it was committed, whatever happens to its connection. */
export class Writer {
  readonly #settings: WriterSettings;
  #client: Client | undefined;
  #isSettled = false;
  /** Commits whose answer never came. */
  lookedUp = 0;

  constructor(settings: WriterSettings) {
    this.#settings = settings;
  }

  /** Writes until the signal, and ends with a whole transaction. */
  async run(phase: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { random } = this.#settings;
      await this.#transaction(phase, this.#isSettled ? this.#chooseParts() : [settle]);
      await sleep(random.between(...PAUSE_MS));
    }
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
  }

  #chooseParts(): Operation[] {
    const { random, isBehind } = this.#settings;
    const parts = Array.from({ length: random.between(1, 4) }, () => chooseOperation(random));
    if (isBehind() && random.happens(BULK_PROBABILITY)) parts.push(random.pick(bulkOperations));
    return parts;
  }

  async #transaction(phase: number, parts: readonly Operation[]): Promise<void> {
    const { ledger } = this.#settings;
    const draft = new Draft();
    const outcome = await this.#outcome(phase, draft, parts);
    if (outcome === 'committed') {
      ledger.committed(draft);
      this.#isSettled = true;
    } else {
      ledger.aborted();
    }
  }

  async #outcome(phase: number, draft: Draft, parts: readonly Operation[]): Promise<'committed' | 'aborted'> {
    const { random, own } = this.#settings;
    let xid: string | undefined;
    try {
      const client = await this.#connected();
      await client.query('begin');
      for (const part of parts) await inSavepoint({ client, draft, random, own, phase }, part);
      if (random.happens(0.04)) await sleep(random.between(100, 3000));
      if (random.happens(0.08)) {
        await client.query('rollback');
        return 'aborted';
      }
      const id = await client.query<{ xid: string | null }>('select pg_current_xact_id_if_assigned()::text as xid');
      xid = id.rows[0]?.xid ?? undefined;
      await this.#commit(client);
      return 'committed';
    } catch (error) {
      await this.#leave(error);
      return xid === undefined ? 'aborted' : await this.#lookUp(xid);
    }
  }

  /** Sometimes the writer does not wait for the answer. */
  async #commit(client: Client): Promise<void> {
    const answered = client.query('commit');
    if (this.#settings.random.happens(0.005)) hangUp(client);
    await answered;
  }

  /** A session that only refused a statement continues; any other is abandoned. @throws errors of the simulation itself */
  async #leave(error: unknown): Promise<void> {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (/^(22|23|42)/.test(code)) throw error;
    if (/^(40|55)/.test(code) && (await this.#rollBack())) return;
    hangUp(this.#client);
    this.#client = undefined;
  }

  async #rollBack(): Promise<boolean> {
    try {
      await this.#client?.query('rollback');
      return true;
    } catch {
      return false;
    }
  }

  /** Asks the server what became of a transaction, as often as it takes. */
  async #lookUp(xid: string): Promise<'committed' | 'aborted'> {
    this.lookedUp++;
    for (;;) {
      try {
        const client = await this.#connected();
        const { rows } = await client.query<{ status: string }>('select pg_xact_status($1::xid8) as status', [xid]);
        const status = rows[0]?.status;
        if (status === 'committed' || status === 'aborted') return status;
      } catch (error) {
        await this.#leave(error);
      }
      await sleep(RECONNECT_MS);
    }
  }

  async #connected(): Promise<Client> {
    while (!this.#client) {
      const client = new Client({ connectionString: this.#settings.url, application_name: 'writer' });
      // The next query reports a lost connection.
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query(SESSION);
        this.#client = client;
      } catch {
        await sleep(RECONNECT_MS);
      }
    }
    return this.#client;
  }
}

/** Some parts are done and undone. */
async function inSavepoint(work: Work, part: Operation): Promise<void> {
  const { client, draft, random } = work;
  if (!random.happens(0.25)) {
    await part(work);
    return;
  }
  const inner = new Draft(draft);
  await client.query('savepoint part');
  await part({ ...work, draft: inner });
  if (random.happens(0.5)) {
    await client.query('rollback to savepoint part');
  } else {
    await client.query('release savepoint part');
    draft.absorb(inner);
  }
}

function chooseOperation(random: Random): Operation {
  let left = random.next() * operations.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, operation] of operations) {
    left -= weight;
    if (left < 0) return operation;
  }
  throw new Error('the weights do not add up');
}

function hangUp(client: Client | undefined): void {
  if (!client) return;
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
}
