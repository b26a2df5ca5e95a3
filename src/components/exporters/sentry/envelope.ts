import type { SentryDropReason } from '../../../metrics/reasons.ts';
import { fitErrorEvent, fitTransaction } from './size-limit.ts';
import type { Category, DiscardedEvents } from './outcomes.ts';
import { toErrorEvent } from './error-event.ts';
import type { OriginOverrides } from './event-origin.ts';
import { exceptionsOf, type RecordedException } from './exceptions.ts';
import type { Segment } from './segments.ts';
import { toTransaction } from './transaction.ts';

/** One item for Sentry. https://develop.sentry.dev/sdk/data-model/envelopes/ */
export interface Envelope {
  readonly category: Category;
  readonly itemType: 'transaction' | 'event' | 'client_report';
  /** The same in each attempt, so that Sentry recognises a repetition. */
  readonly eventId: string | undefined;
  readonly payload: Buffer;
  /** The number of received spans, including the root. */
  readonly itemCount: number;
  readonly sizeBytes: number;
}

/** Called for everything that does not fit into an envelope. */
export type OnDropped = (category: Category, reason: SentryDropReason, quantity: number) => void;

/**
 * The transaction of a segment, and the errors that were recorded on its spans. A generator: every envelope repeats the
 * resource, so all of them together could need many times the memory of the spans.
 */
export function* toEnvelopes(segment: Segment, overrides: OriginOverrides, onDropped: OnDropped): Generator<Envelope> {
  const transaction = transactionEnvelope(segment, overrides, onDropped);
  if (transaction !== undefined) yield transaction;
  for (const exception of exceptionsOf(segment)) {
    const error = errorEnvelope(exception, overrides, onDropped);
    if (error !== undefined) yield error;
  }
}

export function toClientReport(discarded: readonly DiscardedEvents[]): Envelope {
  const payload = Buffer.from(JSON.stringify({ timestamp: Date.now() / 1000, discarded_events: discarded }));
  return envelopeOf('internal', 'client_report', undefined, payload);
}

/** The bytes of an envelope, with the current time as its time of sending. */
export function encodeEnvelope({ itemType, eventId, payload }: Envelope, version: string): Buffer {
  const header = {
    ...(eventId === undefined ? {} : { event_id: eventId }),
    sent_at: new Date().toISOString(),
    sdk: { name: 'siphon', version },
  };
  const itemHeader = { type: itemType, length: payload.length };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n${JSON.stringify(itemHeader)}\n`),
    payload,
    Buffer.from('\n'),
  ]);
}

function errorEnvelope(
  exception: RecordedException,
  overrides: OriginOverrides,
  onDropped: OnDropped,
): Envelope | undefined {
  if (exception.isRepetition) {
    onDropped('error', 'duplicate', 1);
    return undefined;
  }
  const event = toErrorEvent(exception, overrides);
  const payload = fitErrorEvent(event);
  if (payload !== undefined) return envelopeOf('error', 'event', event.event_id, payload);
  onDropped('error', 'too_large', 1);
  return undefined;
}

function transactionEnvelope(segment: Segment, overrides: OriginOverrides, onDropped: OnDropped): Envelope | undefined {
  const transaction = toTransaction(segment, overrides);
  const { payload, droppedSpans } = fitTransaction(transaction);
  const received = segment.children.length + (segment.isStandIn ? 0 : 1);
  if (payload === undefined) {
    onDropped('transaction', 'too_large', 1);
    onDropped('span', 'too_large', received);
    return undefined;
  }
  onDropped('span', 'too_many_spans', droppedSpans);
  const itemCount = received - droppedSpans;
  return { ...envelopeOf('transaction', 'transaction', transaction.event_id, payload), itemCount };
}

function envelopeOf(
  category: Category,
  itemType: Envelope['itemType'],
  eventId: string | undefined,
  payload: Buffer,
): Envelope {
  return { category, itemType, eventId, payload, itemCount: 1, sizeBytes: payload.length };
}
