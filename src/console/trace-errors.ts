import type { Attributes, LogRecord, Span } from '../engine/stored-telemetry.ts';
import { linesOf, oneLine, valueText } from './store-text.ts';

/** An error of a span. It may arrive as an event of the span and as a log record. */
export interface TraceError {
  readonly spanId: string | undefined;
  readonly type: string;
  readonly message: string;
  /** The first frame of the application, or else of all; empty without a stack. */
  readonly place: string;
}

export function errorOf(spanId: string | undefined, attributes: Attributes): TraceError | undefined {
  const [type = '', message = '', stack = ''] = ['type', 'message', 'stacktrace'].map((name) => {
    const value = attributes[`exception.${name}`];
    return value === undefined ? undefined : valueText(value);
  });
  if (type === '' && message === '') return undefined;
  const frames = linesOf(stack).filter((line) => /^\s*at /.test(line));
  const place = frames.find((frame) => !OF_OTHERS.test(frame)) ?? frames[0] ?? '';
  return { spanId, type, message, place: place.trim() };
}

/** A frame of a library or of Node.js. */
const OF_OTHERS = /[/\\]node_modules[/\\]|[( ]node:/;

/**
 * The errors of a trace. An error that passes through several spans, or arrives as an event and as a log record, is one. If
 * spans that do not contain each other have the same error, these are two: an attempt that failed twice.
 */
export function errorsOf(spans: readonly Span[], logs: readonly LogRecord[]): readonly TraceError[] {
  const parents = new Map(spans.map(({ spanId, parentSpanId }) => [spanId, parentSpanId]));
  const found = new Map<string, TraceError[]>();
  const add = (error: TraceError | undefined): void => {
    if (error === undefined) return;
    const same = found.get(errorText(error)) ?? [];
    if (same.some((known) => isWithin(known.spanId, error.spanId, parents))) return;
    found.set(errorText(error), [...same, error]);
  };
  // Spans inside begin later.
  for (const { spanId, events } of spans.toReversed()) {
    for (const { attributes } of events) add(errorOf(spanId, attributes));
  }
  for (const { spanId, attributes } of logs) add(errorOf(spanId, attributes));
  return [...found.values()].flat();
}

/** The spans with the status error. Their exceptions are counted by `errorsOf`. */
export function failedOf(spans: readonly Span[]): readonly Span[] {
  return spans.filter(({ status }) => status.code === 'error');
}

/** Parents may form a circle. */
const MAX_LEVELS = 1000;

function isWithin(
  inner: string | undefined,
  outer: string | undefined,
  parents: ReadonlyMap<string, string | undefined>,
): boolean {
  let current = inner;
  for (let level = 0; level < MAX_LEVELS && current !== undefined; level++) {
    if (current === outer) return true;
    current = parents.get(current);
  }
  return inner === outer;
}

export function errorText({ type, message }: TraceError): string {
  return oneLine([type, message].filter((part) => part !== '').join(': '));
}
