import type {
  Component,
  ComponentSettings,
  Consumer,
  PartialSuccess,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { rewriteItems, type DecideItem } from '../../../engine/otlp/items.ts';
import { fieldNumbers, fieldTags } from '../../../engine/otlp/schema.ts';
import { formatTraceState, NEVER, parseTraceState, type TraceState } from '../../../engine/otlp/trace-state.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { ProbabilisticSamplerConfig } from './config.ts';
import { createSampler, type Sampler } from './sampler.ts';
import { readPriority } from './priority.ts';

const SPAN = fieldTags('Span');
const TRACE_STATE = fieldNumbers('Span').trace_state;
const MAX_TRACE_STATE_BYTES = 8192;
const EMPTY_STATE = '';

/** Keeps a part of the traces, by their ids: all spans of a trace have the same fate. */
export class ProbabilisticSamplerProcessor implements Component, Consumer {
  readonly #sample: Sampler;
  readonly #next: Consumer;
  readonly #count;
  readonly #account;

  constructor({ metrics, ledger }: ComponentSettings, config: ProbabilisticSamplerConfig, next: Consumer) {
    this.#sample = createSampler(config);
    this.#next = next;
    this.#count = metrics.counter(sidecarMetrics.otelcol_processor_probabilistic_sampler_count_traces_sampled);
    this.#account = ledger.account('traces');
  }

  async start(): Promise<void> {}

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    const kept = await rewriteItems(batch, this.#decide);
    this.#account.drop(batch.itemCount - kept.itemCount, 'not_sampled');
    if (kept.itemCount > 0) return await this.#next.consume(kept);
  }

  async shutdown(): Promise<void> {}

  readonly #decide: DecideItem = ({ bytes, attributes }) => {
    const span = readSpan(bytes);
    const traceState = parseTraceState(span.traceState);
    const decision = this.#sample({ traceId: span.traceId, traceState });
    const priority = readPriority(attributes);
    const threshold = priority === 'never' ? NEVER : priority === 'always' ? 0n : decision.threshold;
    const isSampled = threshold <= decision.randomness;
    const policy = priority === undefined ? decision.policy : 'sampling_priority';
    this.#count.add(1, { policy, sampled: isSampled ? 'true' : 'false' });
    if (!isSampled) return 'drop';
    if (decision.traceState === undefined) return 'keep';
    const text = formatTraceState(withThreshold(decision.traceState, threshold));
    return text === span.traceState ? 'keep' : withTraceState(bytes, text);
  };
}

/** A probability never rises again. */
function withThreshold(traceState: TraceState, threshold: bigint): TraceState {
  const known = traceState.threshold;
  return known !== undefined && known > threshold ? traceState : { ...traceState, threshold };
}

/** Only the fields that the decision needs. */
function readSpan(bytes: Uint8Array): { readonly traceId: Uint8Array | undefined; readonly traceState: string } {
  let traceId: Uint8Array | undefined;
  let traceState = EMPTY_STATE;
  for (const reader = new WireReader(bytes); !reader.done;) {
    const tag = reader.tag();
    if (tag === SPAN.trace_id) traceId = reader.bytes();
    else if (tag === SPAN.trace_state) traceState = reader.string(MAX_TRACE_STATE_BYTES);
    else reader.skip(tag);
  }
  return { traceId: traceId?.some((byte) => byte !== 0) === true ? traceId : undefined, traceState };
}

/** The span with this trace state in place of its own. */
function withTraceState(bytes: Uint8Array, traceState: string): Uint8Array {
  const writer = new WireWriter(bytes.length + traceState.length + 16);
  let start = 0;
  for (const reader = new WireReader(bytes); !reader.done;) {
    const fieldStart = reader.position;
    const tag = reader.tag();
    reader.skip(tag);
    if (tag !== SPAN.trace_state) continue;
    writer.append(bytes.subarray(start, fieldStart));
    start = reader.position;
  }
  writer.append(bytes.subarray(start));
  if (traceState !== EMPTY_STATE) writer.stringField(TRACE_STATE, traceState);
  return writer.finish();
}
