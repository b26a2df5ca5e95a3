import type { TraceHeader } from './trace-header.ts';

/** Sentry's categories of items, which its limits and reports name. */
export type Category = 'transaction' | 'span' | 'error' | 'log_item' | 'internal';

export interface DiscardedEvents {
  readonly reason: string;
  readonly category: Category;
  readonly quantity: number;
}

/** One item for Sentry. https://develop.sentry.dev/sdk/data-model/envelopes/ */
export interface Envelope {
  readonly category: Category;
  readonly itemType: 'span' | 'transaction' | 'event' | 'client_report';
  /** The same in each attempt, so that Sentry recognises a repetition. */
  readonly eventId: string | undefined;
  /** Undefined for items that belong to no trace. */
  readonly trace: TraceHeader | undefined;
  readonly payload: Buffer;
  /** The number of received spans, including the root. */
  readonly itemCount: number;
  /** True for an error that came as a log record. */
  readonly isRecord?: boolean | undefined;
  readonly sizeBytes: number;
}

/** The number of received spans in an envelope. */
export function spansIn({ category, itemCount }: Pick<Envelope, 'category' | 'itemCount'>): number {
  return category === 'transaction' || category === 'span' ? itemCount : 0;
}

export function toClientReport(discarded: readonly DiscardedEvents[]): Envelope {
  const payload = Buffer.from(JSON.stringify({ timestamp: Date.now() / 1000, discarded_events: discarded }));
  return envelopeOf('internal', 'client_report', payload);
}

const SPAN_TYPE = { content_type: 'application/vnd.sentry.items.span.v2+json' };

/** The bytes of an envelope, with the current time as its time of sending. */
export function encodeEnvelope(
  envelope: Envelope,
  { version, publicKey }: { version: string; publicKey: string },
): Buffer {
  const { itemType, eventId, trace, payload, itemCount } = envelope;
  const header = {
    ...(eventId !== undefined && { event_id: eventId }),
    sent_at: new Date().toISOString(),
    sdk: { name: 'siphon', version },
    ...(trace !== undefined && { trace: { public_key: publicKey, ...trace } }),
  };
  const itemHeader = {
    type: itemType,
    ...(itemType === 'span' && { item_count: itemCount, ...SPAN_TYPE }),
    length: payload.length,
  };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n${JSON.stringify(itemHeader)}\n`),
    payload,
    Buffer.from('\n'),
  ]);
}

/** The envelope as bytes for a queue on disk: a line of JSON, then the payload. */
export function encodeStored({
  payload,
  category,
  itemType,
  eventId,
  trace,
  itemCount,
  isRecord,
}: Envelope): readonly Uint8Array[] {
  return [Buffer.from(`${JSON.stringify({ category, itemType, eventId, trace, itemCount, isRecord })}\n`), payload];
}

/** @throws Error if the bytes are not an envelope. */
export function decodeStored(bytes: Uint8Array): Envelope {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf('\n');
  const payload = buffer.subarray(end + 1);
  const rest = JSON.parse(buffer.toString('utf8', 0, end)) as Omit<Envelope, 'payload' | 'sizeBytes'>;
  return { ...rest, payload, sizeBytes: payload.length };
}

/** An envelope with one item. */
export function envelopeOf(
  category: Category,
  itemType: Envelope['itemType'],
  payload: Buffer,
  { eventId, trace, isRecord }: Partial<Pick<Envelope, 'eventId' | 'trace' | 'isRecord'>> = {},
): Envelope {
  return { category, itemType, eventId, trace, payload, itemCount: 1, isRecord, sizeBytes: payload.length };
}
