import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import type { ExemplarMemory, StoredExemplar } from '../memory/exemplar-memory.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';

export interface FoundExemplar extends StoredExemplar {
  /** Undefined if it is not in the store: it was not sampled, has not ended, or was evicted. */
  /** Undefined if it is not in the store. */
  readonly span: { readonly segment: Segment; readonly row: number } | undefined;
}

/** The metric by the name that OpenTelemetry or Prometheus gives it. Undefined if it has no exemplars. */
export function metricNamed(memory: ExemplarMemory, written: string): string | undefined {
  const wanted = asPrometheus(written);
  const names = memory.metrics;
  return names.find((name) => name === written) ?? names.find((name) => isPrometheusName(wanted, asPrometheus(name)));
}

/** Looks up the spans of exemplars. */
export function* withSpans(
  memory: TelemetryMemory,
  exemplars: readonly StoredExemplar[],
): Generator<undefined, FoundExemplar[]> {
  const spans = new Map<string, NonNullable<FoundExemplar['span']>>();
  const wanted = exemplars.map(({ traceId, spanId }) => ({ id: Buffer.from(traceId, 'hex'), spanId }));
  for (const segment of memory.segments) {
    for (const { id, spanId } of wanted) {
      const trace = segment.traces.find(viewOf(id), 0, id.length);
      const row = trace < 0 ? -1 : rowOf(segment, trace, Buffer.from(spanId, 'hex'));
      if (row >= 0) spans.set(spanId, { segment, row });
      yield;
    }
  }
  return exemplars.map((exemplar) => ({ ...exemplar, span: spans.get(exemplar.spanId) }));
}

function rowOf({ spans }: TelemetryMemory['segments'][number], trace: number, spanId: Buffer): number {
  const [low, high] = [spanId.readUInt32LE(0), spanId.readUInt32LE(4)];
  const { cells } = spans;
  for (let row = 0; row < spans.count; row++) {
    if (cells.trace[row] !== trace) continue;
    if (cells.spanId[2 * row] === low && cells.spanId[2 * row + 1] === high) return row;
  }
  return -1;
}

function asPrometheus(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_:]/g, '_');
}

/** Prometheus adds the unit, and `total` or `bucket`. */
function isPrometheusName(wanted: string, name: string): boolean {
  return wanted === name || (wanted.startsWith(`${name}_`) && /^(?:_[a-z]+){1,3}$/.test(wanted.slice(name.length)));
}
