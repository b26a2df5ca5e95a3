/** The operations A.1 to B.3 as spans and durations. */
import { context, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { LabelValues } from '../metrics/metric.ts';
import { operations, type Operation } from '../packs/scrape-pipeline/operations.ts';
import { pipelineMetrics } from '../packs/scrape-pipeline/pipeline-metrics.ts';
import { histogram, INSTRUMENTATION_SCOPE } from './instruments.ts';

const recordDuration = histogram(pipelineMetrics.pipeline_operation_duration_seconds);

type OperationLabels = LabelValues<typeof pipelineMetrics.pipeline_operation_duration_seconds>;

/**
 * Runs `body` as a span named `A.2 fetch`, which is active inside, and records how long it took and how it ended. An
 * error becomes an `exception` event of the span and is thrown on as it was.
 */
export async function runOperation<T>(
  operation: Operation,
  { source }: { readonly source: string },
  body: (span: Span) => Promise<T>,
): Promise<T> {
  const tracer = trace.getTracer(INSTRUMENTATION_SCOPE);
  const attributes = { 'pipeline.operation': operation, 'pipeline.source': source };
  return await tracer.startActiveSpan(`${operation} ${operations[operation].name}`, { attributes }, async (span) => {
    const startedAt = performance.now();
    const end = (outcome: OperationLabels['outcome']): void => {
      span.setAttribute('pipeline.outcome', outcome);
      recordDuration({ operation, outcome }, (performance.now() - startedAt) / 1000, context.active());
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
}

function recordError(span: Span, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  span.recordException(error);
  span.setAttribute('error.type', error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}
