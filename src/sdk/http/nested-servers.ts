/** Keeps one server span for each request, so that whatever counts server spans counts requests. */
import { SpanKind, trace, type Span } from '@opentelemetry/api';
import { addSpanProcessor } from '../span-processors.ts';

interface SpanOfKind extends Span {
  readonly kind?: SpanKind;
}

/**
 * A framework such as Next opens a server span of its own below that of the request. It becomes an internal one: it
 * handles no request of another process.
 */
export function countRequestsOnce(): void {
  addSpanProcessor({
    onStart: (span: SpanOfKind, parentContext) => {
      if (span.kind !== SpanKind.SERVER) return;
      // The parent is of this process: what is known about one of another process has no kind.
      const parent: SpanOfKind | undefined = trace.getSpan(parentContext);
      if (parent?.kind === SpanKind.SERVER) Object.assign(span, { kind: SpanKind.INTERNAL });
    },
  });
}
