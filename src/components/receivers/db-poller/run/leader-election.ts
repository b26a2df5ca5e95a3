import type { Logger } from 'pino';
import type { Secret } from '../../../../engine/schema/secret.ts';
import { AdvisoryLock } from '../../../../postgres/advisory-lock.ts';
import { reasonOf } from '../../../../postgres/polling/poll-failure.ts';
import { nextPollMs, sleep } from '../../../../postgres/polling/schedule.ts';
import type { SharedIncident } from '../../../../postgres/polling/shared-incident.ts';
import type { PollerMetrics } from './poller-metrics.ts';

export interface LeaderElectionSettings {
  /** The server that holds the lock. A pooler in transaction mode cannot hold it. */
  readonly datasource: Secret;
  /** Pollers with the same name in the same database elect one leader. */
  readonly name: string;
  readonly intervalMs: number;
  readonly connectTimeoutMs: number;
  readonly metrics: PollerMetrics;
  readonly logger: Logger;
  readonly databaseIncident: SharedIncident;
  /** Called whenever another poller is found to be the leader. */
  readonly onStandby: () => void;
}

/** The work of the leader, until the signal aborts. Must not reject. */
export type Lead = (leading: AbortSignal) => Promise<void>;

/** The election's value of the label `query`: while no leader can be elected, nothing is polled. */
const QUERY = 'leader_election';
/** A leader must not lose the lead because a busy machine is slow once. */
const SHORTEST_LEASE_MS = 3000;
/** Networks drop connections that are silent for much longer. */
const LONGEST_LEASE_MS = 30_000;
const HEARTBEATS_PER_LEASE = 3;

/**
 * Elects one of several pollers of a database with an advisory lock. The server holds the lock as long as the session
 * lives, and ends a session that is silent for a whole lease. A leader that does not hear from the server gives up before.
 *
 * | state      | meaning                                  | leaves it when                                             |
 * |------------|------------------------------------------|------------------------------------------------------------|
 * | connecting | opens the session of the lock            | it is open → candidate; it fails → connecting, one         |
 * |            |                                          | heartbeat later                                            |
 * | candidate  | asks for the lock at each heartbeat      | the lock is held → leader; another poller holds it →       |
 * |            |                                          | standby; the session ends → connecting                     |
 * | standby    | a candidate after its first refusal,     | as candidate                                               |
 * |            | reported once with `onStandby`           |                                                            |
 * | leader     | `lead` runs; confirms the lock at each   | the lock is lost or unconfirmed: aborts `lead`, awaits it, |
 * |            | heartbeat                                | closes the session → connecting                            |
 *
 * An abort of the signal ends every state; a leader first ends `lead`.
 */
export class LeaderElection {
  readonly #settings: LeaderElectionSettings;
  readonly #leaseMs: number;
  readonly #heartbeatMs: number;

  constructor(settings: LeaderElectionSettings) {
    this.#settings = settings;
    this.#leaseMs = Math.min(Math.max(settings.intervalMs, SHORTEST_LEASE_MS), LONGEST_LEASE_MS);
    this.#heartbeatMs = this.#leaseMs / HEARTBEATS_PER_LEASE;
    settings.metrics.declare(QUERY, this.#heartbeatMs);
    settings.metrics.leads(false);
  }

  /** Runs for leader until the signal aborts, and calls `lead` for each term. The lock is held until `lead` has ended. */
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

  /** @throws PostgresError if the lock cannot be requested. */
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

  /** Resolves to true when the lock is held, or to false when the signal aborts. @throws PostgresError */
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
      // Before the queries end, so that the incident of the database continues without a gap.
      this.#failed(error, signal);
    }
    metrics.leads(false);
    term.abort();
    await led;
  }

  /** Resolves when the signal aborts. @throws PostgresError when the lock is or may be lost. */
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
    // An interruption by shutdown is not a failure.
    if (signal.aborted) return;
    const { metrics, databaseIncident } = this.#settings;
    metrics.failed(QUERY, reasonOf(error));
    databaseIncident.failed(QUERY, error);
  }
}
