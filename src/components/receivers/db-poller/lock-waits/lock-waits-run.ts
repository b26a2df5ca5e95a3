import { encodeLogsRequest } from '../../../../engine/otlp/logs-writer.ts';
import { send } from '../../../../postgres/polling/send.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { Poll, QueryRun, RunContext } from '../run/query-run.ts';
import { Episodes, type Episode } from './episodes.ts';
import { lockWaitRecord } from './lock-wait-record.ts';
import { sampleLocks } from './sample.ts';
import { ServerClock } from './server-clock.ts';

export interface LockWaitsSettings {
  /** The names of the databases whose sessions may wait; undefined: all. */
  readonly databases: readonly string[] | undefined;
  /** The pause between two samples while a session waits. */
  readonly sampleIntervalMs: number;
  readonly timeoutMs: number;
}

/** Emits a log record for each session that waits for a lock, with the session or transaction that it waits for. */
export class LockWaitsRun implements QueryRun {
  readonly needs: TableColumns = {};
  readonly #context: RunContext;
  readonly #settings: LockWaitsSettings;
  readonly #episodes = new Episodes();
  readonly #clock = new ServerClock();
  #isCut = false;

  constructor(context: RunContext, settings: LockWaitsSettings) {
    this.#context = context;
    this.#settings = settings;
  }

  /** Is behind while a session waits, so that the next sample follows soon. */
  async poll(_schema: Schema, signal: AbortSignal): Promise<Poll> {
    const { databases, timeoutMs, sampleIntervalMs } = this.#settings;
    const startedAt = performance.now();
    const sample = await sampleLocks(this.#context.pool, databases, { timeoutMs, signal });
    const { waits, clock, durationMs, isCut } = sample;
    if (clock !== undefined) this.#clock.read(clock);
    this.#report(isCut);
    await this.#send(this.#episodes.observe(sample));
    const pauseMs = Math.max(0, sampleIntervalMs - (performance.now() - startedAt));
    return { durationMs, rows: waits.length, isBehind: clock !== undefined, pauseMs };
  }

  async retract(): Promise<void> {
    this.#episodes.forget();
    return Promise.resolve();
  }

  async #send(episodes: readonly Episode[]): Promise<void> {
    if (episodes.length === 0) return;
    const { consumer, resource, version } = this.#context;
    const server = resource['service.instance.id'] ?? '';
    const chunk = encodeLogsRequest({
      resource,
      scope: { name: 'siphon/db_poller', version },
      observedUnixMs: Date.now(),
      records: episodes.map((episode) => lockWaitRecord(episode, this.#clock, server)),
    });
    await send(consumer, { signal: 'logs', chunk, itemCount: episodes.length });
  }

  /** Once for each time that this begins. */
  #report(isCut: boolean): void {
    if (isCut && !this.#isCut) this.#context.logger.warn('More sessions wait for locks than are examined');
    this.#isCut = isCut;
  }
}
