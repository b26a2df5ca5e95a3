import type { TailSamplingConfig } from './config.ts';

/** References are remembered until this many newer ones exist. */
const MAX_REFERENCES = 100_000;

/** An instance of the processor that holds traces. */
export interface TraceHolder {
  holds(traceId: string): boolean;
  /** An exemplar refers to the trace. */
  onReference(traceId: string): void;
}

/**
 * The common knowledge of the instances of one processor: decisions about traces, and the traces that exemplars refer to.
 * An exemplar that passes has a trace that is kept: either the trace is kept because of it, or the exemplar is removed
 * because the trace is gone. A trace id is its 16 bytes as a text.
 */
export class Decisions {
  readonly holders = new Set<TraceHolder>();
  readonly #sampled: RecentIds;
  readonly #notSampled: RecentIds;
  readonly #referred = new RecentIds(MAX_REFERENCES);
  /** Senders repeat exemplars, so their traces must not be forgotten. */
  readonly #refused = new RecentIds(MAX_REFERENCES);
  readonly #sinceMs = Date.now();

  constructor({ num_traces: traces, decision_cache: cache }: TailSamplingConfig) {
    this.#sampled = new RecentIds(cache.sampled_cache_size || traces);
    this.#notSampled = new RecentIds(cache.non_sampled_cache_size || traces);
  }

  add(traceId: string, isSampled: boolean): void {
    (isSampled ? this.#sampled : this.#notSampled).add(traceId);
    // Another policy has dropped it.
    if (!isSampled && this.#referred.remove(traceId)) this.#refused.add(traceId);
  }

  /** Undefined if nothing is decided, or it is forgotten. */
  isSampled(traceId: string): boolean | undefined {
    if (this.#sampled.touch(traceId)) return true;
    return this.#notSampled.touch(traceId) ? false : undefined;
  }

  isReferred(traceId: string): boolean {
    return this.#referred.has(traceId);
  }

  /**
   * An exemplar refers to the trace.
   *
   * @param timeMs when it was measured, since 1970.
   * @returns why the exemplar must not pass; undefined if the trace is kept, or will be.
   */
  refer(traceId: string, timeMs: number): 'not_sampled' | 'unknown' | undefined {
    const reason = this.#objection(traceId, timeMs);
    if (reason === 'not_sampled') this.#refused.add(traceId);
    if (reason !== undefined) return reason;
    this.#referred.add(traceId);
    for (const holder of this.holders) holder.onReference(traceId);
    return undefined;
  }

  #objection(traceId: string, timeMs: number): 'not_sampled' | 'unknown' | undefined {
    if (this.#referred.has(traceId)) return undefined;
    if (this.#refused.has(traceId)) return 'not_sampled';
    const isSampled = this.isSampled(traceId);
    if (isSampled !== undefined) return isSampled ? undefined : 'not_sampled';
    if (timeMs >= this.#sinceMs) return undefined;
    // The decision was made before the start of this process.
    return [...this.holders].some((holder) => holder.holds(traceId)) ? undefined : 'unknown';
  }
}

/** Remembers a number of ids, and forgets the oldest. */
class RecentIds {
  readonly #max: number;
  readonly #ids = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Adds it as the newest. */
  add(id: string): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    if (this.#ids.size <= this.#max) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }

  remove(id: string): boolean {
    return this.#ids.delete(id);
  }

  /** Makes it the newest, if it is known. */
  touch(id: string): boolean {
    if (!this.#ids.delete(id)) return false;
    this.#ids.add(id);
    return true;
  }
}
