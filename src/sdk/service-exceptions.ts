import type { Exception, Span, TimeInput } from '@opentelemetry/api';
import { recordException } from './exceptions.ts';
import { addSpanProcessor } from './span-processors.ts';

/**
 * Errors that the service records itself look like those that the preload records. The SDK would leave out causes, and an
 * error with a code would have it as its type, so that one error had two.
 */
export function describeServiceExceptions(): void {
  const described = new WeakSet<object>();
  addSpanProcessor({
    onStart: (span) => {
      const spans = Object.getPrototypeOf(span) as Pick<Span, 'recordException'>;
      if (described.has(spans)) return;
      described.add(spans);
      const { recordException: original } = spans; // oxlint-disable-line no-restricted-properties -- for what is not an error
      Object.assign(spans, {
        recordException(this: Span, exception: Exception, time?: TimeInput): void {
          if (exception instanceof Error) recordException(this, exception, time);
          else original.call(this, exception, time);
        },
      });
    },
  });
}
