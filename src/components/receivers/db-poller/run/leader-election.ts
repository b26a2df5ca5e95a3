import type { Logger } from 'pino';
import type { Secret } from '../../../../engine/schema/secret.ts';
import { AdvisoryLock } from '../../../../postgres/advisory-lock.ts';
import { reasonOf } from '../../../../postgres/polling/poll-failure.ts';
import { nextPollMs, sleep } from '../../../../postgres/polling/schedule.ts';
import type { SharedIncident } from '../../../../postgres/polling/shared-incident.ts';
import type { PollerMetrics } from './poller-metrics.ts';

export interface LeaderElectionSettings {
  /** Of the server that keeps the lock; a pooler in transaction mode cannot. */
  readonly datasource: Secret;
  /** Pollers with the same name in the same database elect one of them. */
  readonly name: string;
  readonly intervalMs: number;
  readonly connectTimeoutMs: number;
  readonly metrics: PollerMetrics;
  readonly logger: Logger;
  readonly databaseIncident: SharedIncident;
  /** Called whenever another one turns out to be the leader. */
  readonly onStandby: () => void;
}

/** What the leader does until the signal says that it no longer is one. Must not reject. */
export type Lead = (leading: AbortSignal) => Promise<void>;

/** Its name among the queries: while nobody can be elected, nothing is polled. */
const QUERY = 'leader_election';
/** Whoever is slow once on a busy machine must not lose the lead for it. */
const SHORTEST_LEASE_MS = 3000;
/** Networks forget connections that are silent for much longer. */
const LONGEST_LEASE_MS = 30_000;
const HEARTBEATS_PER_LEASE = 3;

/**
 * Elects one of several pollers of a database by an advisory lock. The server keeps the lock as long as the session
 * lives, and ends one that is silent for a lease; a leader that hears nothing from the server gives up before that.
 */
export class LeaderElection {
  readonly #settings: LeaderElectionSettings;
  readonly #leaseMs: number;
  readonly #heartbeatMs: number;

  constructor(settings: LeaderElectionSettings) {
    this.#settings = settings;
    this.#leaseMs = Math.min(Math.max(settings.intervalMs, SHORTEST_LEASE_MS), LONGEST_LEASE_MS);
    this.#heartbeatMs = this.#leaseMs / HEARTBEATS_PER_LEASE;
    settings.metrics.declare(QUERY);
    settings.metrics.leads(false);
  }

  /** Stands for election until the signal aborts, and leads each time that it is won. The lock outlasts what `lead` does. */
  async run(signal: AbortSignal, lead: Lead): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#stand(signal, lead);
      } catch (error) {
        this.#failed(error, signal);
      }
      await sleep(nextPollMs(this.#heartbeatMs), signal);
    }
  }

  /** @throws PostgresError if the lock cannot be asked for. */
  async #stand(signal: AbortSignal, lead: Lead): Promise<void> {
    const { datasource, name, connectTimeoutMs } = this.#settings;
    const lock = await AdvisoryLock.open({
      datasource,
      name: `db_poller ${name}`,
      applicationName: 'siphon leader election',
      connectTimeoutMs,
      answerTimeoutMs: this.#heartbeatMs,
      leaseMs: this.#leaseMs,
    });
    const over = AbortSignal.any([signal, lock.ended]);
    try {
      if (await this.#win(lock, over)) await this.#lead(lock, { signal, over }, lead);
    } finally {
      await lock.close();
    }
  }

  /** Resolves to whether the lock is held, which it is unless the signal aborts. @throws PostgresError */
  async #win(lock: AdvisoryLock, over: AbortSignal): Promise<boolean> {
    for (let isStandby = false; !over.aborted; isStandby = true) {
      const isHeld = await lock.tryTake();
      this.#settings.metrics.answered(QUERY);
      this.#settings.databaseIncident.succeeded(QUERY);
      if (isHeld) return true;
      if (!isStandby) this.#standBy();
      await sleep(nextPollMs(this.#heartbeatMs), over);
    }
    lock.ended.throwIfAborted();
    return false;
  }

  #standBy(): void {
    this.#settings.logger.info('Another poller is the leader: standing by');
    this.#settings.onStandby();
  }

  async #lead(lock: AdvisoryLock, { signal, over }: Record<'signal' | 'over', AbortSignal>, lead: Lead): Promise<void> {
    const { metrics, logger } = this.#settings;
    const term = new AbortController();
    metrics.leads(true);
    logger.info('This poller is the leader');
    const led = lead(term.signal);
    try {
      await this.#confirm(lock, over);
    } catch (error) {
      // Before the queries end: the database is away as long as one of them or the election says so.
      this.#failed(error, signal);
    }
    metrics.leads(false);
    term.abort();
    await led;
  }

  /** Resolves when the signal aborts. @throws PostgresError when the lock is lost, or may be. */
  async #confirm(lock: AdvisoryLock, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const askedAt = performance.now();
      await lock.confirm();
      this.#settings.metrics.answered(QUERY);
      await sleep(Math.max(0, this.#heartbeatMs - (performance.now() - askedAt)), over);
    }
    lock.ended.throwIfAborted();
  }

  #failed(error: unknown, signal: AbortSignal): void {
    // What the end of the poller interrupts has not failed.
    if (signal.aborted) return;
    const { metrics, databaseIncident } = this.#settings;
    metrics.failed(QUERY, reasonOf(error));
    databaseIncident.failed(QUERY, error);
  }
}
