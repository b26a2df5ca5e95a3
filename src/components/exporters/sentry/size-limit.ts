import type { ErrorEvent } from './error-event.ts';
import type { JsonObject } from './json-values.ts';
import { MAX_SPANS } from './stand-in-segments.ts';
import type { SentrySpan, Transaction } from './transaction.ts';

/** Relay's limits. https://develop.sentry.dev/sdk/data-model/envelopes/#size-limits */
export const MAX_EVENT_BYTES = 1024 * 1024;
const MAX_TEXT_CHARACTERS = 1024;

export interface Fitted {
  /** Undefined if nothing is left that Sentry would accept. */
  readonly payload: Buffer | undefined;
  /** The number of spans that were left out. These are the ones that started last. */
  readonly droppedSpans: number;
}

/** The JSON of a transaction within the limits: first long texts are cut, then the data of spans is removed, then spans. */
export function fitTransaction(full: Transaction): Fitted {
  const capped = { ...full, spans: full.spans.slice(0, MAX_SPANS) };
  const versions = [
    () => capped,
    () => cutTexts(capped) as Transaction,
    () => withoutData(cutTexts(capped) as Transaction),
  ];
  for (const version of versions) {
    const payload = encode(version());
    if (payload.length <= MAX_EVENT_BYTES) return { payload, droppedSpans: full.spans.length - capped.spans.length };
  }
  return fitFewerSpans(withoutData(cutTexts(capped) as Transaction), full.spans.length);
}

/** The JSON of an error event within the limit, with long texts cut and then without its extra data; or undefined. */
export function fitErrorEvent(event: ErrorEvent): Buffer | undefined {
  const { extra: _, ...rest } = event;
  const versions = [() => event, () => cutTexts(event), () => cutTexts(rest)];
  for (const version of versions) {
    const payload = encode(version());
    if (payload.length <= MAX_EVENT_BYTES) return payload;
  }
  return undefined;
}

function fitFewerSpans(transaction: Transaction, total: number): Fitted {
  for (let count = transaction.spans.length; ; count = Math.floor(count / 2)) {
    const payload = encode({ ...transaction, spans: transaction.spans.slice(0, count) });
    if (payload.length <= MAX_EVENT_BYTES) return { payload, droppedSpans: total - count };
    if (count === 0) return { payload: undefined, droppedSpans: total };
  }
}

function withoutData(transaction: Transaction): Transaction {
  const { otel: _, ...contexts } = transaction.contexts;
  return {
    ...transaction,
    contexts: { ...contexts, trace: { ...transaction.contexts.trace, data: essential(transaction.contexts.trace) } },
    spans: transaction.spans.map((span) => ({ ...span, data: essential(span), links: [] })),
  };
}

function essential({ data }: SentrySpan): JsonObject {
  return Object.fromEntries(Object.entries(data).filter(([key]) => key.startsWith('sentry.') || key === 'otel.kind'));
}

function cutTexts(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length <= MAX_TEXT_CHARACTERS ? value : `${value.slice(0, MAX_TEXT_CHARACTERS)}…`;
  if (Array.isArray(value)) return value.map(cutTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, cutTexts(child)]));
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
