import { textOf } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanEvent } from '../../../engine/otlp/span-reader.ts';
import type { Segment } from './segments.ts';

/** An `exception` that was recorded on a span. */
export interface RecordedException {
  readonly span: Span;
  readonly event: SpanEvent;
  /** Whether a span further in has recorded the same one, which was then thrown on. */
  readonly isRepetition: boolean;
}

/**
 * The exceptions of a segment, the innermost spans first. One that is thrown through several spans is recorded on
 * each of them with the same type, message and stack. The same text on spans that do not contain each other, or twice
 * on one span, stands for two exceptions: an attempt that failed twice.
 */
export function exceptionsOf({ root, children }: Segment): RecordedException[] {
  const spans = [root, ...children];
  const lastInside = lastDescendants(spans);
  /** The span behind the present one that recorded the same text, and stands nearest to it. */
  const nearest = new Map<string, number>();
  const found: RecordedException[] = [];
  for (const [index, span] of [...spans.entries()].toReversed()) {
    const recorded = span.events.filter(({ name }) => name === 'exception');
    const isRepetition = (event: SpanEvent): boolean => (nearest.get(keyOf(event)) ?? Infinity) <= lastInside[index]!;
    found.push(...recorded.map((event) => ({ span, event, isRepetition: isRepetition(event) })));
    for (const event of recorded) nearest.set(keyOf(event), index);
  }
  return found;
}

/** For each span the index of the last one below it, or its own. The spans stand depth first, so those below it follow it. */
function lastDescendants(spans: readonly Span[]): number[] {
  const indexes = new Map(spans.map(({ spanId }, index) => [spanId, index]));
  const last = [...spans.keys()];
  for (let index = spans.length - 1; index > 0; index--) {
    const parent = indexes.get(spans[index]!.parentSpanId ?? '') ?? 0;
    last[parent] = Math.max(last[parent]!, last[index]!);
  }
  return last;
}

function keyOf({ attributes }: SpanEvent): string {
  const parts = ['exception.type', 'exception.message', 'exception.stacktrace'];
  return parts.map((key) => textOf(attributes, key) ?? '').join('\0');
}
