import type { ReceivedLogRecord } from '../../../engine/otlp/log-reader.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import { envelopeOf, type Envelope } from './envelope.ts';
import type { ErrorArrivals } from './error-arrivals.ts';
import { toErrorEvent } from './error-event.ts';
import { toException } from './error-records.ts';
import type { EventSettings } from './event-origin.ts';
import { exceptionsOf, type RecordedException } from './exceptions.ts';
import { withoutIdleConnections } from './idle-connections.ts';
import type { Drop } from './outcomes.ts';
import type { Segment } from './segments.ts';
import { fitErrorEvent, fitTransaction, fitSpan, MAX_EVENT_BYTES } from './size-limit.ts';
import { spanEncoder } from './span-item.ts';
import { MAX_SPANS, withStandIns } from './stand-in-segments.ts';
import { traceHeaderOf, traceHeaderOfRecord, type PublicKeyOf, type TraceHeader } from './trace-header.ts';
import { toTransaction } from './transaction.ts';

export type Protocol = 'spans' | 'transactions';

/** Segments of one trace with the errors on their spans, and records of errors, that leave together. */
export interface Departure {
  /** The roots of all segments of the trace that leave now, also of those for other projects. */
  readonly roots: readonly Span[];
  readonly segments: readonly Segment[];
  /** The span of a record is in the segments, or will not come. */
  readonly records: readonly ReceivedLogRecord[];
}

export interface EnvelopeContext {
  readonly settings: EventSettings & { readonly protocol: Protocol };
  readonly arrivals: ErrorArrivals;
  readonly publicKeyOf: PublicKeyOf;
  /** Called for everything that is not in an envelope. */
  readonly onDropped: (drop: Drop) => void;
}

/**
 * The envelopes of a departure. A generator: every envelope repeats the resource, so all of them together could need many
 * times the memory of the spans. Yields undefined where other work may run before the next envelope.
 */
export function* toEnvelopes(
  { roots, segments: whole, records }: Departure,
  context: EnvelopeContext,
): Generator<Envelope | undefined> {
  const segments = whole.map(withoutIdleConnections);
  const quantity = spanCount(whole) - spanCount(segments);
  context.onDropped({ category: 'span', reason: 'idle_connection', quantity });
  const waiting = Map.groupBy(records, ({ spanId }) => spanId);
  if (segments.length > 0) {
    const trace = traceHeaderOf(roots, context.settings, context.publicKeyOf);
    yield* traceEnvelopes(segments, waiting, { ...context, trace });
  }
  for (const alone of waiting.values()) {
    for (const record of alone) {
      const trace = traceHeaderOfRecord(record);
      yield* errorEnvelopes([toException(record)], { ...context, trace });
    }
  }
}

function spanCount(segments: readonly Segment[]): number {
  return segments.reduce((sum, { children }) => sum + children.length, 0);
}

/** Removes the records of the spans. */
function* traceEnvelopes(
  segments: readonly Segment[],
  records: Map<string, readonly ReceivedLogRecord[]>,
  context: Context,
): Generator<Envelope | undefined> {
  const { settings } = context;
  if (settings.protocol === 'spans') yield* spanEnvelopes(segments, context);
  for (const segment of settings.protocol === 'spans' ? segments : withStandIns(segments)) {
    if (settings.protocol === 'transactions') yield* transactionEnvelope(segment, context);
    yield* errorEnvelopes(exceptionsOf(segment, takeLogged(segment, records)), context);
  }
}

/** Removes the records of the segment's spans. */
function takeLogged(
  segment: Segment,
  records: Map<string, readonly ReceivedLogRecord[]>,
): ReadonlyMap<Span, readonly RecordedException[]> {
  const logged = new Map<Span, readonly RecordedException[]>();
  for (const span of records.size === 0 ? [] : spansOf(segment)) {
    const own = records.get(span.spanId);
    if (own === undefined) continue;
    records.delete(span.spanId);
    logged.set(
      span,
      own.map((record) => toException(record, { span, segment })),
    );
  }
  return logged;
}

interface Context extends EnvelopeContext {
  readonly trace: TraceHeader | undefined;
}

const ITEMS_START = '{"version":2,"items":[';
const MAX_ITEMS_BYTES = MAX_EVENT_BYTES - ITEMS_START.length - ']}'.length;

/** Spans of one trace need no root and may come in pieces, but not together with those of another trace. */
function* spanEnvelopes(
  segments: readonly Segment[],
  { settings, trace, onDropped }: Context,
): Generator<Envelope | undefined> {
  // prettier-ignore
  let parts: string[] = [];
  let bytes = 0;
  const take = (): Envelope => {
    const payload = Buffer.from(`${ITEMS_START}${parts.join(',')}]}`);
    const envelope = { ...envelopeOf('span', 'span', payload, { trace }), itemCount: parts.length };
    [parts, bytes] = [[], 0];
    return envelope;
  };
  for (const segment of segments) {
    const encode = spanEncoder(segment, settings);
    for (const span of spansOf(segment)) {
      yield undefined;
      const text = fitSpan((version) => encode(span, version), MAX_ITEMS_BYTES);
      if (text === undefined) {
        onDropped({ category: 'span', reason: 'too_large' });
        continue;
      }
      const length = text.bytes + 1;
      if (parts.length === MAX_SPANS || bytes + length > MAX_ITEMS_BYTES) yield take();
      parts.push(text.json);
      bytes += length;
    }
  }
  if (parts.length > 0) yield take();
}

function* spansOf({ root, children }: Segment): Generator<Span> {
  yield root;
  yield* children;
}

function* transactionEnvelope(
  segment: Segment,
  { settings, trace, onDropped }: Context,
): Generator<Envelope | undefined> {
  const transaction = toTransaction(segment, settings);
  const payload = yield* fitTransaction(transaction, segment, settings);
  const itemCount = segment.children.length + (segment.isStandIn ? 0 : 1);
  if (payload !== undefined) {
    const envelope = envelopeOf('transaction', 'transaction', payload, { trace, eventId: transaction.event_id });
    yield { ...envelope, itemCount };
    return;
  }
  onDropped({ category: 'transaction', reason: 'too_large' });
  onDropped({ category: 'span', reason: 'too_large', quantity: itemCount });
}

function* errorEnvelopes(
  exceptions: Iterable<RecordedException>,
  { settings, arrivals, trace, onDropped }: Context,
): Generator<Envelope | undefined> {
  for (const exception of exceptions) {
    yield undefined;
    const isRecord = exception.record !== undefined;
    if (exception.isRepetition || !arrivals.isNew(exception)) {
      onDropped({ category: 'error', reason: 'duplicate', isRecord });
      continue;
    }
    const event = toErrorEvent(exception, settings);
    const payload = fitErrorEvent(event);
    if (payload === undefined) onDropped({ category: 'error', reason: 'too_large', isRecord });
    else yield envelopeOf('error', 'event', payload, { trace, eventId: event.event_id, isRecord });
  }
}
