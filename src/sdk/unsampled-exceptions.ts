/**
 * Sends the exceptions of spans that are not sampled as log records, the form that OpenTelemetry gives to exceptions
 * without a span: sampling decides about traces, and no error is lost by it.
 */
import {
  diag,
  SeverityNumber,
  SpanKind,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { createAlwaysRecordSampler, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { errorOf } from './exceptions.ts';
import { INSTRUMENTATION_SCOPE } from './recorders.ts';
import { addSpanProcessor, currentSampler } from './span-processors.ts';
import { isUncaught } from './uncaught-exceptions.ts';

/** Then the exceptions of many requests share an export. */
const EXPORT_AFTER_MS = 1000;
const MAX_WAITING = 512;
const MAX_PER_ROOT = 100;

/** The work of this process on one trace that is not sampled. */
interface Segment {
  readonly root: object;
  /** Wait for the root, whose name may change until it ends. */
  readonly failed: ReadableSpan[];
  hasEnded: boolean;
}

/** Makes the spans that are not sampled record, which the exporter of spans does not send. */
export function sendUnsampledExceptions(exportLogs: (records: ReadableLogRecord[]) => void): void {
  const segments = new WeakMap<object, Segment>();
  let waiting: ReadableLogRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length > 0) exportLogs(waiting);
    waiting = [];
  };
  const send = (span: ReadableSpan, root: ReadableSpan): void => {
    const records = toRecords(span, root);
    if (waiting.length + records.length > MAX_WAITING) diag.warn(`siphon: exceptions lost: ${records.length}`);
    else waiting.push(...records);
    timer ??= setTimeout(flush, EXPORT_AFTER_MS).unref();
  };
  recordAll();
  addSpanProcessor({
    onStart: (span: Span, parentContext: Context) => {
      if (isSampled(span)) return;
      const parent = trace.getSpan(parentContext);
      segments.set(span, (parent && segments.get(parent)) ?? { root: span, failed: [], hasEnded: false });
    },
    forceFlush: async () => flush(),
    onEnd: (span) => {
      const segment = segments.get(span);
      if (segment === undefined) return;
      const root = segment.root as ReadableSpan;
      const mayRename = root.kind === SpanKind.SERVER && !segment.hasEnded;
      if (hasException(span)) {
        if (!mayRename) send(span, root);
        else if (segment.failed.length < MAX_PER_ROOT) segment.failed.push(span);
      }
      if (span !== root) return;
      segment.hasEnded = true;
      for (const failed of segment.failed.splice(0)) send(failed, root);
    },
  });
}

function recordAll(): void {
  const sampler = currentSampler();
  if (sampler === undefined) return;
  const shouldSample = sampler.shouldSample.bind(sampler);
  const recording = createAlwaysRecordSampler({ shouldSample, toString: () => String(sampler) });
  sampler.shouldSample = (...span) => recording.shouldSample(...span);
}

function isSampled(span: Span | ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

function hasException({ events }: ReadableSpan): boolean {
  return events.some(({ name }) => name === 'exception');
}

/** An error that passes through several spans is sent once. */
const sent = new WeakSet<object>();

function isFirst(attributes: Attributes): boolean {
  const error = errorOf(attributes);
  if (error === undefined) return true;
  const isNew = !sent.has(error);
  sent.add(error);
  return isNew;
}

const SCOPE = { name: INSTRUMENTATION_SCOPE };

/** With the attributes of the root, which say what the service was doing. */
function toRecords(span: ReadableSpan, root: ReadableSpan): ReadableLogRecord[] {
  const severityNumber = isUncaught(span) ? SeverityNumber.FATAL : SeverityNumber.ERROR;
  return span.events
    .filter(({ name, attributes = {} }) => name === 'exception' && isFirst(attributes))
    .map(({ time, name, attributes = {} }) => ({
      hrTime: time,
      hrTimeObserved: time,
      spanContext: span.spanContext(),
      severityNumber,
      eventName: name,
      resource: span.resource,
      instrumentationScope: SCOPE,
      attributes: { ...root.attributes, 'sentry.segment.name': root.name, 'otel.span_name': span.name, ...attributes },
      droppedAttributesCount: 0,
    }));
}
