/**
 * The messages of OTLP, as data: what the framing check and the JSON conversion know about the protocol.
 * https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
 */
import type { Signal } from '../component.ts';
import { WireType } from './wire-reader.ts';

/** How a field that is no message stands on the wire and in JSON. */
export type Scalar =
  | 'string'
  | 'bytes'
  | 'trace_id'
  | 'span_id'
  | 'bool'
  | 'uint32'
  | 'sint32'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double';

export interface Field {
  readonly number: number;
  readonly type: FieldType;
  readonly repeated: boolean;
}

export type FieldType = Scalar | EnumType | MessageType;

export interface EnumType {
  /** The names of the values, by number. */
  readonly values: readonly string[];
}

export interface MessageType {
  readonly message: string;
}

/** By their names in the .proto files. */
export type Fields = Readonly<Record<string, Field>>;

/** What a request of each signal is. */
export const requestMessages: Readonly<Record<Signal, string>> = {
  traces: 'ExportTraceServiceRequest',
  metrics: 'ExportMetricsServiceRequest',
  logs: 'ExportLogsServiceRequest',
};

/** The messages that are counted as items. */
export const itemMessages: ReadonlySet<string> = new Set([
  'Span',
  'NumberDataPoint',
  'HistogramDataPoint',
  'ExponentialHistogramDataPoint',
  'SummaryDataPoint',
  'LogRecord',
]);

const one = (number: number, type: FieldType): Field => ({ number, type, repeated: false });
const many = (number: number, type: FieldType): Field => ({ number, type, repeated: true });
const message = (name: string): MessageType => ({ message: name });
const enumOf = (prefix: string, names: string): EnumType => ({
  values: names.split(' ').map((name) => `${prefix}_${name}`),
});

const attributes = (number: number): Field => many(number, message('KeyValue'));

const aggregationTemporality = enumOf('AGGREGATION_TEMPORALITY', 'UNSPECIFIED DELTA CUMULATIVE');
const severityNumber = enumOf(
  'SEVERITY_NUMBER',
  'UNSPECIFIED TRACE TRACE2 TRACE3 TRACE4 DEBUG DEBUG2 DEBUG3 DEBUG4 INFO INFO2 INFO3 INFO4 ' +
    'WARN WARN2 WARN3 WARN4 ERROR ERROR2 ERROR3 ERROR4 FATAL FATAL2 FATAL3 FATAL4',
);

const common: Readonly<Record<string, Fields>> = {
  AnyValue: {
    string_value: one(1, 'string'),
    bool_value: one(2, 'bool'),
    int_value: one(3, 'int64'),
    double_value: one(4, 'double'),
    array_value: one(5, message('ArrayValue')),
    kvlist_value: one(6, message('KeyValueList')),
    bytes_value: one(7, 'bytes'),
  },
  ArrayValue: { values: many(1, message('AnyValue')) },
  KeyValueList: { values: attributes(1) },
  KeyValue: { key: one(1, 'string'), value: one(2, message('AnyValue')) },
  InstrumentationScope: {
    name: one(1, 'string'),
    version: one(2, 'string'),
    attributes: attributes(3),
    dropped_attributes_count: one(4, 'uint32'),
  },
  Resource: {
    attributes: attributes(1),
    dropped_attributes_count: one(2, 'uint32'),
    entity_refs: many(3, message('EntityRef')),
  },
  EntityRef: {
    schema_url: one(1, 'string'),
    type: one(2, 'string'),
    id_keys: many(3, 'string'),
    description_keys: many(4, 'string'),
  },
};

const traces: Readonly<Record<string, Fields>> = {
  ExportTraceServiceRequest: { resource_spans: many(1, message('ResourceSpans')) },
  ResourceSpans: {
    resource: one(1, message('Resource')),
    scope_spans: many(2, message('ScopeSpans')),
    schema_url: one(3, 'string'),
  },
  ScopeSpans: {
    scope: one(1, message('InstrumentationScope')),
    spans: many(2, message('Span')),
    schema_url: one(3, 'string'),
  },
  Span: {
    trace_id: one(1, 'trace_id'),
    span_id: one(2, 'span_id'),
    trace_state: one(3, 'string'),
    parent_span_id: one(4, 'span_id'),
    name: one(5, 'string'),
    kind: one(6, enumOf('SPAN_KIND', 'UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER')),
    start_time_unix_nano: one(7, 'fixed64'),
    end_time_unix_nano: one(8, 'fixed64'),
    attributes: attributes(9),
    dropped_attributes_count: one(10, 'uint32'),
    events: many(11, message('Event')),
    dropped_events_count: one(12, 'uint32'),
    links: many(13, message('Link')),
    dropped_links_count: one(14, 'uint32'),
    status: one(15, message('Status')),
    flags: one(16, 'fixed32'),
  },
  Event: {
    time_unix_nano: one(1, 'fixed64'),
    name: one(2, 'string'),
    attributes: attributes(3),
    dropped_attributes_count: one(4, 'uint32'),
  },
  Link: {
    trace_id: one(1, 'trace_id'),
    span_id: one(2, 'span_id'),
    trace_state: one(3, 'string'),
    attributes: attributes(4),
    dropped_attributes_count: one(5, 'uint32'),
    flags: one(6, 'fixed32'),
  },
  Status: { message: one(2, 'string'), code: one(3, enumOf('STATUS_CODE', 'UNSET OK ERROR')) },
};

const metrics: Readonly<Record<string, Fields>> = {
  ExportMetricsServiceRequest: { resource_metrics: many(1, message('ResourceMetrics')) },
  ResourceMetrics: {
    resource: one(1, message('Resource')),
    scope_metrics: many(2, message('ScopeMetrics')),
    schema_url: one(3, 'string'),
  },
  ScopeMetrics: {
    scope: one(1, message('InstrumentationScope')),
    metrics: many(2, message('Metric')),
    schema_url: one(3, 'string'),
  },
  Metric: {
    name: one(1, 'string'),
    description: one(2, 'string'),
    unit: one(3, 'string'),
    gauge: one(5, message('Gauge')),
    sum: one(7, message('Sum')),
    histogram: one(9, message('Histogram')),
    exponential_histogram: one(10, message('ExponentialHistogram')),
    summary: one(11, message('Summary')),
    metadata: attributes(12),
  },
  Gauge: { data_points: many(1, message('NumberDataPoint')) },
  Sum: {
    data_points: many(1, message('NumberDataPoint')),
    aggregation_temporality: one(2, aggregationTemporality),
    is_monotonic: one(3, 'bool'),
  },
  Histogram: {
    data_points: many(1, message('HistogramDataPoint')),
    aggregation_temporality: one(2, aggregationTemporality),
  },
  ExponentialHistogram: {
    data_points: many(1, message('ExponentialHistogramDataPoint')),
    aggregation_temporality: one(2, aggregationTemporality),
  },
  Summary: { data_points: many(1, message('SummaryDataPoint')) },
  NumberDataPoint: {
    start_time_unix_nano: one(2, 'fixed64'),
    time_unix_nano: one(3, 'fixed64'),
    as_double: one(4, 'double'),
    exemplars: many(5, message('Exemplar')),
    as_int: one(6, 'sfixed64'),
    attributes: attributes(7),
    flags: one(8, 'uint32'),
  },
  HistogramDataPoint: {
    start_time_unix_nano: one(2, 'fixed64'),
    time_unix_nano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: one(5, 'double'),
    bucket_counts: many(6, 'fixed64'),
    explicit_bounds: many(7, 'double'),
    exemplars: many(8, message('Exemplar')),
    attributes: attributes(9),
    flags: one(10, 'uint32'),
    min: one(11, 'double'),
    max: one(12, 'double'),
  },
  ExponentialHistogramDataPoint: {
    attributes: attributes(1),
    start_time_unix_nano: one(2, 'fixed64'),
    time_unix_nano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: one(5, 'double'),
    scale: one(6, 'sint32'),
    zero_count: one(7, 'fixed64'),
    positive: one(8, message('Buckets')),
    negative: one(9, message('Buckets')),
    flags: one(10, 'uint32'),
    exemplars: many(11, message('Exemplar')),
    min: one(12, 'double'),
    max: one(13, 'double'),
    zero_threshold: one(14, 'double'),
  },
  Buckets: { offset: one(1, 'sint32'), bucket_counts: many(2, 'uint64') },
  SummaryDataPoint: {
    start_time_unix_nano: one(2, 'fixed64'),
    time_unix_nano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: one(5, 'double'),
    quantile_values: many(6, message('ValueAtQuantile')),
    attributes: attributes(7),
    flags: one(8, 'uint32'),
  },
  ValueAtQuantile: { quantile: one(1, 'double'), value: one(2, 'double') },
  Exemplar: {
    time_unix_nano: one(2, 'fixed64'),
    as_double: one(3, 'double'),
    span_id: one(4, 'span_id'),
    trace_id: one(5, 'trace_id'),
    as_int: one(6, 'sfixed64'),
    filtered_attributes: attributes(7),
  },
};

const logs: Readonly<Record<string, Fields>> = {
  ExportLogsServiceRequest: { resource_logs: many(1, message('ResourceLogs')) },
  ResourceLogs: {
    resource: one(1, message('Resource')),
    scope_logs: many(2, message('ScopeLogs')),
    schema_url: one(3, 'string'),
  },
  ScopeLogs: {
    scope: one(1, message('InstrumentationScope')),
    log_records: many(2, message('LogRecord')),
    schema_url: one(3, 'string'),
  },
  LogRecord: {
    time_unix_nano: one(1, 'fixed64'),
    severity_number: one(2, severityNumber),
    severity_text: one(3, 'string'),
    body: one(5, message('AnyValue')),
    attributes: attributes(6),
    dropped_attributes_count: one(7, 'uint32'),
    flags: one(8, 'fixed32'),
    trace_id: one(9, 'trace_id'),
    span_id: one(10, 'span_id'),
    observed_time_unix_nano: one(11, 'fixed64'),
    event_name: one(12, 'string'),
  },
};

/** Every message, by its name. */
export const messages: ReadonlyMap<string, Fields> = new Map(
  Object.entries({ ...common, ...traces, ...metrics, ...logs }),
);

export function isMessage(type: FieldType): type is MessageType {
  return typeof type === 'object' && 'message' in type;
}

/** The wire type of one value, packed or not. */
export function wireTypeOf(type: FieldType): number {
  if (typeof type === 'object') return isMessage(type) ? WireType.bytes : WireType.varint;
  return wireTypes[type];
}

const wireTypes: Readonly<Record<Scalar, number>> = {
  string: WireType.bytes,
  bytes: WireType.bytes,
  trace_id: WireType.bytes,
  span_id: WireType.bytes,
  bool: WireType.varint,
  uint32: WireType.varint,
  sint32: WireType.varint,
  int64: WireType.varint,
  uint64: WireType.varint,
  fixed32: WireType.fixed32,
  fixed64: WireType.fixed64,
  sfixed64: WireType.fixed64,
  double: WireType.fixed64,
};
