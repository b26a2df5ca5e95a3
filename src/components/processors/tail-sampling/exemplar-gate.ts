import type { Logger } from 'pino';
import type {
  Component,
  ComponentSettings,
  Consumer,
  PartialSuccess,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { rewriteItems } from '../../../engine/otlp/items.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { inSlices } from '../../../engine/time-slice.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { TailSamplingConfig } from './config.ts';
import type { Decisions } from './decisions.ts';
import { idIn } from './span-identity.ts';
import { exemplarTags, walkExemplars } from './walk-exemplars.ts';

const EXEMPLAR = fieldTags('Exemplar');
const NS_A_MS = 1e6;
const TWO_32 = 4_294_967_296;

/** In a pipeline of metrics: keeps the traces that exemplars refer to, and removes exemplars whose trace is not kept. */
export class ExemplarGate implements Component, Consumer {
  readonly #logger: Logger;
  readonly #next: Consumer;
  readonly #decisions: Decisions;
  readonly #removed;
  /** False if no policy keeps traces because of exemplars. */
  readonly #isUsed: boolean;

  constructor(
    { logger, metrics }: ComponentSettings,
    config: TailSamplingConfig,
    next: Consumer,
    decisions: Decisions,
  ) {
    this.#logger = logger;
    this.#next = next;
    this.#decisions = decisions;
    this.#removed = metrics.counter(sidecarMetrics.siphon_tail_sampling_removed_exemplars);
    this.#isUsed = config.policies.some(({ type }) => type === 'exemplar');
  }

  async start(): Promise<void> {
    if (!this.#isUsed) this.#logger.warn('Metrics pass unchanged because no policy has the type exemplar');
  }

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    return await this.#next.consume(this.#isUsed ? await this.#withKeptExemplars(batch) : batch);
  }

  async shutdown(): Promise<void> {}

  async #withKeptExemplars(batch: TelemetryBatch): Promise<TelemetryBatch> {
    const removed: Places = new Map();
    for (const chunk of batch.chunks) {
      const places = removed.get(chunk.buffer) ?? new Set();
      const steps = walkExemplars(chunk, (start, end) => {
        const reason = this.#objectionTo(new WireReader(chunk, start, end));
        if (reason === undefined) return;
        this.#removed.add(1, { reason });
        places.add(chunk.byteOffset + start);
      });
      await inSlices(steps);
      if (places.size > 0) removed.set(chunk.buffer, places);
    }
    if (removed.size === 0) return batch;
    return await rewriteItems(batch, ({ type, bytes }) => withoutExemplars(removed, type, bytes));
  }

  #objectionTo(exemplar: WireReader): 'not_sampled' | 'unknown' | undefined {
    let id: string | undefined;
    let timeNs = 0;
    while (!exemplar.done) {
      const tag = exemplar.tag();
      if (tag === EXEMPLAR.trace_id) id = idIn(exemplar.bytes());
      else if (tag === EXEMPLAR.time_unix_nano) {
        const low = exemplar.fixed32();
        timeNs = exemplar.fixed32() * TWO_32 + low;
      } else exemplar.skip(tag);
    }
    return id === undefined ? undefined : this.#decisions.refer(id, timeNs / NS_A_MS);
  }
}

/** Where exemplars begin, by the buffer of their chunk. */
type Places = Map<ArrayBufferLike, Set<number>>;

function withoutExemplars(removed: Places, type: string, point: Uint8Array): 'keep' | Uint8Array {
  const exemplars = exemplarTags.get(type);
  const places = removed.get(point.buffer);
  if (exemplars === undefined || places === undefined) return 'keep';
  const writer = new WireWriter(point.length);
  let kept = 0;
  for (const reader = new WireReader(point); !reader.done;) {
    const start = reader.position;
    const tag = reader.tag();
    const isRemoved = tag === exemplars && places.has(point.byteOffset + reader.message().position);
    if (tag !== exemplars) reader.skip(tag);
    if (!isRemoved) continue;
    writer.appendSlice(point, kept, start);
    kept = reader.position;
  }
  if (kept === 0) return 'keep';
  writer.appendSlice(point, kept, point.length);
  return writer.finish();
}
