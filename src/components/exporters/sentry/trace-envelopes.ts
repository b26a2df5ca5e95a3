import type { SentryDropReason } from '../../../metrics/reasons.ts';
import { envelopeOf, type Envelope } from './envelope.ts';
import { toErrorEvent } from './error-event.ts';
import type { EventSettings } from './event-origin.ts';
import { exceptionsOf } from './exceptions.ts';
import type { Category } from './outcomes.ts';
import type { Segment } from './segments.ts';
import { fitErrorEvent, fitTransaction, fitSpan, MAX_EVENT_BYTES } from './size-limit.ts';
import { spanEncoder } from './span-item.ts';
import { MAX_SPANS, withStandIns } from './stand-in-segments.ts';
import { traceHeaderOf, type TraceHeader } from './trace-header.ts';
import { toTransaction } from './transaction.ts';

export type Protocol = 'spans' | 'transactions';

/** Called for everything that does not fit into an envelope. */
export type OnDropped = (category: Category, reason: SentryDropReason, quantity: number) => void;

/**
 * The spans of one trace, and the errors that were recorded on them. A generator: every envelope repeats the resource, so
 * all of them together could need many times the memory of the spans. Yields undefined where other work may run before
 * the next envelope.
 */
export function* toEnvelopes(
  segments: readonly Segment[],
  settings: EventSettings & { readonly protocol: Protocol },
  onDropped: OnDropped,
): Generator<Envelope | undefined> {
  const trace = traceHeaderOf(segments.map(({ root }) => root), settings); // prettier-ignore
  const context = { settings, trace, onDropped };
  if (settings.protocol === 'spans') {
    yield* spanEnvelopes(segments, context);
    for (const segment of segments) yield* errorEnvelopes(segment, context);
    return;
  }
  for (const segment of withStandIns(segments)) {
    const transaction = yield* transactionEnvelope(segment, context);
    if (transaction !== undefined) yield transaction;
    yield* errorEnvelopes(segment, context);
  }
}

interface Context {
  readonly settings: EventSettings;
  readonly trace: TraceHeader;
  readonly onDropped: OnDropped;
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
        onDropped('span', 'too_large', 1);
        continue;
      }
      const length = Buffer.byteLength(text) + 1;
      if (parts.length === MAX_SPANS || bytes + length > MAX_ITEMS_BYTES) yield take();
      parts.push(text);
      bytes += length;
    }
  }
  if (parts.length > 0) yield take();
}

function* spansOf({ root, children }: Segment): Generator<Segment['root']> {
  yield root;
  yield* children;
}

function* transactionEnvelope(
  segment: Segment,
  { settings, trace, onDropped }: Context,
): Generator<undefined, Envelope | undefined> {
  // prettier-ignore
  const transaction = toTransaction(segment, settings);
  const payload = yield* fitTransaction(transaction, segment, settings);
  const itemCount = segment.children.length + (segment.isStandIn ? 0 : 1);
  if (payload !== undefined) {
    return {
      ...envelopeOf('transaction', 'transaction', payload, { trace, eventId: transaction.event_id }),
      itemCount,
    };
  }
  onDropped('transaction', 'too_large', 1);
  onDropped('span', 'too_large', itemCount);
  return undefined;
}

function* errorEnvelopes(segment: Segment, { settings, trace, onDropped }: Context): Generator<Envelope | undefined> {
  for (const exception of exceptionsOf(segment)) {
    yield undefined;
    if (exception.isRepetition) {
      onDropped('error', 'duplicate', 1);
      continue;
    }
    const event = toErrorEvent(exception, settings);
    const payload = fitErrorEvent(event);
    if (payload === undefined) onDropped('error', 'too_large', 1);
    else yield envelopeOf('error', 'event', payload, { trace, eventId: event.event_id });
  }
}
