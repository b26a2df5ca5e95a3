import { SeverityNumber, TraceFlags, trace, ROOT_CONTEXT, type LogRecord } from '@opentelemetry/api';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { describe, expect, it } from 'vitest';
import type { TelemetryBatch } from '../../../engine/component.ts';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../../tests/support/otlp/otlp-spans.ts';
import { child, root, startExporter } from './exporter-under-test.ts';

/** A request of the real SDK. */
async function batchOfRecords(records: readonly LogRecord[]): Promise<TelemetryBatch> {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'coffee', 'service.version': '1.2.0' }),
    processors: [new SimpleLogRecordProcessor({ exporter })],
  });
  for (const record of records) provider.getLogger('test').emit(record);
  await provider.forceFlush();
  const chunk = ProtobufLogsSerializer.serializeRequest([...exporter.getFinishedLogRecords()])!;
  return { signal: 'logs', chunks: [chunk], itemCount: records.length, sizeBytes: chunk.length };
}

function errorRecord(message: string, record: LogRecord = {}, span?: string): LogRecord {
  const spanContext = { traceId: TRACE_ID, spanId: span ?? '', traceFlags: TraceFlags.SAMPLED };
  return {
    severityNumber: SeverityNumber.ERROR,
    ...record,
    attributes: { 'exception.type': 'TypeError', 'exception.message': message, ...record.attributes },
    ...(span === undefined ? {} : { context: trace.setSpanContext(ROOT_CONTEXT, spanContext) }),
  };
}

const thrown = (message: string) => ({
  name: 'exception',
  attributes: { 'exception.type': 'TypeError', 'exception.message': message },
});

describe('errors in log records', () => {
  it('become error events, named after the local root of their span; other records are counted', async () => {
    await using sink = await startSentrySink();
    const { exporter, counts, balance, stop } = await startExporter(sink.dsn);
    const stack = 'TypeError: no beans\n    at brew (/app/brew.js:1:2)';
    const record = errorRecord(
      'no beans',
      { severityNumber: SeverityNumber.FATAL, body: 'the run failed', attributes: { 'exception.stacktrace': stack } },
      child.spanId,
    );
    await exporter.consume(await batchOfRecords([record, { body: 'all is well' }]));
    await exporter.consume(batchOfSpans([root, child]));
    await stop();
    expect(sink.errors()).toMatchObject([
      {
        level: 'fatal',
        transaction: 'A.2 fetch',
        logentry: { formatted: 'the run failed' },
        contexts: { trace: { trace_id: TRACE_ID, span_id: child.spanId } },
        exception: {
          values: [{ type: 'TypeError', value: 'no beans', stacktrace: { frames: [{ function: 'brew' }] } }],
        },
      },
    ]);
    expect(sink.problems()).toEqual([]);
    expect((await counts()).get('log_item no_exception')).toBe(1);
    expect((await counts()).get('otelcol_exporter_sent_log_records')).toBe(1);
    expect((await counts()).get('otelcol_exporter_send_failed_log_records')).toBe(0);
    expect(balance('logs')).toMatchObject({ accepted: 2, delivered: 1, dropped: { no_exception: 1 } });
  });

  it.each<[string, readonly ('span' | 'record')[]]>([
    ['the span first', ['span', 'record']],
    ['the record first', ['record', 'span']],
  ])('are one event with the same exception of a span: %s', async (_, order) => {
    await using sink = await startSentrySink();
    const { exporter, counts, stop } = await startExporter(sink.dsn);
    const span = batchOfSpans([root, { ...child, events: [thrown('no beans'), thrown('no milk')] }]);
    const record = await batchOfRecords([
      errorRecord('no beans', {}, child.spanId),
      // The handler of the request has logged it too, and another error that no span has.
      errorRecord('no beans', {}, root.spanId),
      errorRecord('no cups', {}, root.spanId),
    ]);
    for (const what of order) {
      await exporter.consume(what === 'span' ? span : record);
      if (what === 'span') await sink.waitFor(() => sink.errors().length >= 2, 5000);
    }
    await stop();
    expect(messagesOf(sink.errors())).toEqual(['no beans', 'no cups', 'no milk']);
    expect((await counts()).get('error duplicate')).toBe(2);
  });

  it('have the name of a root that was already sent', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn);
    await exporter.consume(batchOfSpans([root, child]));
    expect(await sink.waitFor(() => sink.transactions().length === 1, 5000)).toBe(true);
    await exporter.consume(await batchOfRecords([errorRecord('late', {}, child.spanId)]));
    expect(await sink.waitFor(() => sink.errors().length === 1, 5000)).toBe(true);
    expect(sink.errors()).toMatchObject([{ transaction: 'A.2 fetch' }]);
    await stop();
  });

  it('do not wait without a span, or if they describe one that is not sampled', async () => {
    await using sink = await startSentrySink();
    const { exporter, stop } = await startExporter(sink.dsn);
    const request = {
      'sentry.segment.name': 'GET /cups/:id',
      'http.request.method': 'GET',
      'http.route': '/cups/:id',
      'url.path': '/cups/1',
    };
    await exporter.consume(
      await batchOfRecords([
        errorRecord('outside'),
        errorRecord('unsampled', { attributes: request }, spanId(7)),
        errorRecord('unsampled', { attributes: request }, spanId(8)),
      ]),
    );
    expect(await sink.waitFor(() => sink.errors().length === 3, 5000)).toBe(true);
    // Several requests are sent at the same time.
    const [outside, ...unsampled] = sink.errors().toSorted((a, b) => (spanOf(a) < spanOf(b) ? -1 : 1));
    expect(outside?.contexts?.trace).toBeUndefined();
    expect(outside).toMatchObject({ release: 'coffee@1.2.0' });
    expect(outside?.transaction).toBeUndefined();
    expect(unsampled).toMatchObject([
      { transaction: 'GET /cups/:id', request: { method: 'GET' }, contexts: { trace: { span_id: spanId(7) } } },
      { transaction: 'GET /cups/:id' },
    ]);
    expect(sink.problems()).toEqual([]);
    await stop();
  });

  it('are counted as lost if Sentry refuses them', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 400 });
    const { exporter, balance, counts, stop } = await startExporter(sink.dsn);
    await exporter.consume(await batchOfRecords([errorRecord('refused')]));
    await sink.waitFor(() => sink.requests === 1, 5000);
    await stop();
    expect(balance('logs')).toMatchObject({ accepted: 1, delivered: 0, dropped: { send_error: 1 }, difference: 0 });
    expect((await counts()).get('otelcol_exporter_send_failed_log_records')).toBe(1);
  });
});

function messagesOf(
  errors: readonly { readonly exception: { readonly values: readonly { readonly value: string }[] } }[],
): string[] {
  return errors.map(({ exception }) => exception.values.at(-1)!.value).toSorted();
}

/** The id of the span of an event; empty if it has none. */
function spanOf({ contexts }: { readonly contexts?: { readonly trace?: { readonly span_id?: string } } }): string {
  return contexts?.trace?.span_id ?? '';
}
