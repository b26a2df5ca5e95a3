import { textOf } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanEvent } from '../../../engine/otlp/span-reader.ts';
import { localRootOf, type Segment } from './segments.ts';

/** Texts of the same length that begin like this are the same. */
const MAX_COMPARED_CHARACTERS = 4096;

/** Sentry's severities of an error. */
export type Level = 'fatal' | 'error' | 'warning' | 'info' | 'debug';

/** An exception that was recorded on a span, or as a log record. */
export interface RecordedException {
  /** The span that it happened in. Without ids if none is known. */
  readonly span: Span;
  readonly event: SpanEvent;
  /** The local root of the span. Undefined if it has not arrived. */
  readonly root: Span | undefined;
  /** All spans of the segment. */
  readonly spans: readonly Span[];
  /** True if a span inside has recorded the same exception, which was then rethrown. */
  readonly isRepetition: boolean;
  /** Present if it came as a log record. */
  readonly record?: { readonly level: Level; readonly message: string } | undefined;
}

/**
 * The exceptions of a segment, innermost spans first. An exception that passes through several spans is recorded on each
 * of them, and perhaps logged, with the same type, message and stack. If spans that do not contain each other record the
 * same text, or one span records it twice, these are two exceptions: an attempt that failed twice.
 *
 * @param logged the exceptions that came as log records, by their span.
 */
export function* exceptionsOf(
  segment: Segment,
  logged: ReadonlyMap<Span, readonly RecordedException[]>,
): Generator<RecordedException> {
  const spans = [segment.root, ...segment.children];
  if (logged.size === 0 && !spans.some(hasException)) return;
  const root = localRootOf(segment);
  const lastInside = lastDescendants(spans);
  /** The nearest span inside the current one, or itself, that recorded the same text. */
  const nearest = new Map<string, number>();
  for (const [index, span] of [...spans.entries()].toReversed()) {
    const isKnown = (key: string): boolean => (nearest.get(key) ?? Infinity) <= lastInside[index]!;
    const recorded = span.events.filter(isException);
    const keys = recorded.map(textOfException);
    for (const [i, event] of recorded.entries()) {
      yield { span, event, spans, root, isRepetition: isKnown(keys[i]!) };
    }
    for (const key of keys) nearest.set(key, index);
    for (const exception of logged.get(span) ?? []) {
      const key = textOfException(exception.event);
      yield { ...exception, isRepetition: isKnown(key) };
      nearest.set(key, index);
    }
  }
}

function hasException({ events }: Span): boolean {
  return events.some(isException);
}

function isException({ name }: SpanEvent): boolean {
  return name === 'exception';
}

/** For each span the index of its last descendant, or its own. The order is depth first, so descendants follow a span. */
function lastDescendants(spans: readonly Span[]): number[] {
  const indexes = new Map(spans.map(({ spanId }, index) => [spanId, index]));
  const last = [...spans.keys()];
  for (let index = spans.length - 1; index > 0; index--) {
    const parent = indexes.get(spans[index]!.parentSpanId ?? '') ?? 0;
    last[parent] = Math.max(last[parent]!, last[index]!);
  }
  return last;
}

/** The same for exceptions with the same type, message and stack. */
export function textOfException({ attributes }: SpanEvent): string {
  const parts = ['exception.type', 'exception.message', 'exception.stacktrace'];
  const texts = parts.map((key) => textOf(attributes, key) ?? '');
  return texts.map((text) => `${text.length} ${text.slice(0, MAX_COMPARED_CHARACTERS)}`).join('\0');
}
