/** Runs the operations of a pack as spans, and records their durations. */
import { context, SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';
import type { HistogramMetric } from '../metrics/metric.ts';
import { messageOf, recordException } from './exceptions.ts';
import { INSTRUMENTATION_SCOPE, recorder } from './recorders.ts';

/**
 * Runs `body` as a span that is active inside it, and records the duration and the outcome. An error becomes an
 * `exception` event of the span and is thrown again unchanged.
 */
export type RunOperation<Operation extends string, Details extends object> = <T>(
  operation: Operation,
  details: Details,
  body: (span: Span) => Promise<T>,
) => Promise<T>;

interface OperationSettings<Operation extends string> {
  /** Prefix of the span's attributes: `<namespace>.operation`, `<namespace>.outcome` and those of the details. */
  readonly namespace: string;
  /** The span of an operation is named `<key> <name>`. */
  readonly operations: Readonly<{ [Key in Operation]: { readonly name: string } }>;
  /** In seconds, by operation and outcome. */
  readonly duration: HistogramMetric & {
    readonly labels: { readonly operation: readonly Operation[]; readonly outcome: readonly Outcome[] };
  };
}

type Outcome = 'ok' | 'error';

/** Returns the function that runs the operations of a pack. `Details` are further attributes of the span. */
export function createRunOperation<Operation extends string, Details extends Readonly<{ [key: string]: string }>>({
  namespace,
  operations,
  duration,
}: OperationSettings<Operation>): RunOperation<Operation, Details> {
  const recordDuration = recorder<HistogramMetric>(duration);
  return async (operation, details, body) => {
    const attributes: Attributes = { [`${namespace}.operation`]: operation };
    for (const [key, value] of Object.entries(details)) attributes[`${namespace}.${key}`] = value;
    const tracer = trace.getTracer(INSTRUMENTATION_SCOPE);
    return await tracer.startActiveSpan(`${operation} ${operations[operation].name}`, { attributes }, async (span) => {
      const startedAtMs = performance.now();
      const end = (outcome: Outcome): void => {
        span.setAttribute(`${namespace}.outcome`, outcome);
        const seconds = (performance.now() - startedAtMs) / 1000;
        recordDuration({ operation, outcome }, seconds, trace.setSpan(context.active(), span));
        span.end();
      };
      try {
        const result = await body(span);
        end('ok');
        return result;
      } catch (error) {
        recordError(span, error);
        end('error');
        throw error;
      }
    });
  };
}

function recordError(span: Span, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  recordException(span, error);
  span.setAttribute('error.type', error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
}
