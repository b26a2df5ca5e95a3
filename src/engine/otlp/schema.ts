/**
 * The messages of OTLP, as data. The framing check, the JSON conversion, and all readers and writers use it.
 * https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
 */
import type { Signal } from '../component.ts';
import { WireType } from './wire-reader.ts';

/** The encoding of a field that is not a message, on the wire and in JSON. */
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

/** The fields of a message, by their names in the .proto files. */
export type Fields = Readonly<Record<string, Field>>;

/** The request message of each signal. */
export const requestMessages = {
  traces: 'ExportTraceServiceRequest',
  metrics: 'ExportMetricsServiceRequest',
  logs: 'ExportLogsServiceRequest',
} as const satisfies Readonly<Record<Signal, string>>;

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
const messageOf = (name: string): MessageType => ({ message: name });
const enumOf = (prefix: string, names: string): EnumType => ({
  values: names.split(' ').map((name) => `${prefix}_${name}`),
});

const attributes = (number: number): Field => many(number, messageOf('KeyValue'));

/** The numbers of `AggregationTemporality`. */
export const temporalities = { delta: 1, cumulative: 2 } as const;

const aggregationTemporality = enumOf('AGGREGATION_TEMPORALITY', 'UNSPECIFIED DELTA CUMULATIVE');
const severityNumber = enumOf(
  'SEVERITY_NUMBER',
  'UNSPECIFIED TRACE TRACE2 TRACE3 TRACE4 DEBUG DEBUG2 DEBUG3 DEBUG4 INFO INFO2 INFO3 INFO4 ' +
    'WARN WARN2 WARN3 WARN4 ERROR ERROR2 ERROR3 ERROR4 FATAL FATAL2 FATAL3 FATAL4',
);

const common = {
  AnyValue: {
    string_value: one(1, 'string'),
    bool_value: one(2, 'bool'),
    int_value: one(3, 'int64'),
    double_value: one(4, 'double'),
    array_value: one(5, messageOf('ArrayValue')),
    kvlist_value: one(6, messageOf('KeyValueList')),
    bytes_value: one(7, 'bytes'),
  },
  ArrayValue: { values: many(1, messageOf('AnyValue')) },
  KeyValueList: { values: attributes(1) },
  KeyValue: { key: one(1, 'string'), value: one(2, messageOf('AnyValue')) },
  InstrumentationScope: {
    name: one(1, 'string'),
    version: one(2, 'string'),
    attributes: attributes(3),
    dropped_attributes_count: one(4, 'uint32'),
  },
  Resource: {
    attributes: attributes(1),
    dropped_attributes_count: one(2, 'uint32'),
    entity_refs: many(3, messageOf('EntityRef')),
  },
  EntityRef: {
    schema_url: one(1, 'string'),
    type: one(2, 'string'),
    id_keys: many(3, 'string'),
    description_keys: many(4, 'string'),
  },
} satisfies Readonly<Record<string, Fields>>;

const traces = {
  ExportTraceServiceRequest: { resource_spans: many(1, messageOf('ResourceSpans')) },
  ResourceSpans: {
    resource: one(1, messageOf('Resource')),
    scope_spans: many(2, messageOf('ScopeSpans')),
    schema_url: one(3, 'string'),
  },
  ScopeSpans: {
    scope: one(1, messageOf('InstrumentationScope')),
    spans: many(2, messageOf('Span')),
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
    events: many(11, messageOf('Event')),
    dropped_events_count: one(12, 'uint32'),
    links: many(13, messageOf('Link')),
    dropped_links_count: one(14, 'uint32'),
    status: one(15, messageOf('Status')),
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
} satisfies Readonly<Record<string, Fields>>;

const metrics = {
  ExportMetricsServiceRequest: { resource_metrics: many(1, messageOf('ResourceMetrics')) },
  ResourceMetrics: {
    resource: one(1, messageOf('Resource')),
    scope_metrics: many(2, messageOf('ScopeMetrics')),
    schema_url: one(3, 'string'),
  },
  ScopeMetrics: {
    scope: one(1, messageOf('InstrumentationScope')),
    metrics: many(2, messageOf('Metric')),
    schema_url: one(3, 'string'),
  },
  Metric: {
    name: one(1, 'string'),
    description: one(2, 'string'),
    unit: one(3, 'string'),
    gauge: one(5, messageOf('Gauge')),
    sum: one(7, messageOf('Sum')),
    histogram: one(9, messageOf('Histogram')),
    exponential_histogram: one(10, messageOf('ExponentialHistogram')),
    summary: one(11, messageOf('Summary')),
    metadata: attributes(12),
  },
  Gauge: { data_points: many(1, messageOf('NumberDataPoint')) },
  Sum: {
    data_points: many(1, messageOf('NumberDataPoint')),
    aggregation_temporality: one(2, aggregationTemporality),
    is_monotonic: one(3, 'bool'),
  },
  Histogram: {
    data_points: many(1, messageOf('HistogramDataPoint')),
    aggregation_temporality: one(2, aggregationTemporality),
  },
  ExponentialHistogram: {
    data_points: many(1, messageOf('ExponentialHistogramDataPoint')),
    aggregation_temporality: one(2, aggregationTemporality),
  },
  Summary: { data_points: many(1, messageOf('SummaryDataPoint')) },
  NumberDataPoint: {
    start_time_unix_nano: one(2, 'fixed64'),
    time_unix_nano: one(3, 'fixed64'),
    as_double: one(4, 'double'),
    exemplars: many(5, messageOf('Exemplar')),
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
    exemplars: many(8, messageOf('Exemplar')),
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
    positive: one(8, messageOf('Buckets')),
    negative: one(9, messageOf('Buckets')),
    flags: one(10, 'uint32'),
    exemplars: many(11, messageOf('Exemplar')),
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
    quantile_values: many(6, messageOf('ValueAtQuantile')),
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
} satisfies Readonly<Record<string, Fields>>;

const logs = {
  ExportLogsServiceRequest: { resource_logs: many(1, messageOf('ResourceLogs')) },
  ResourceLogs: {
    resource: one(1, messageOf('Resource')),
    scope_logs: many(2, messageOf('ScopeLogs')),
    schema_url: one(3, 'string'),
  },
  ScopeLogs: {
    scope: one(1, messageOf('InstrumentationScope')),
    log_records: many(2, messageOf('LogRecord')),
    schema_url: one(3, 'string'),
  },
  LogRecord: {
    time_unix_nano: one(1, 'fixed64'),
    severity_number: one(2, severityNumber),
    severity_text: one(3, 'string'),
    body: one(5, messageOf('AnyValue')),
    attributes: attributes(6),
    dropped_attributes_count: one(7, 'uint32'),
    flags: one(8, 'fixed32'),
    trace_id: one(9, 'trace_id'),
    span_id: one(10, 'span_id'),
    observed_time_unix_nano: one(11, 'fixed64'),
    event_name: one(12, 'string'),
  },
} satisfies Readonly<Record<string, Fields>>;

const definitions = { ...common, ...traces, ...metrics, ...logs };

export type MessageName = keyof typeof definitions;
export type FieldName<Message extends MessageName> = string & keyof (typeof definitions)[Message];

/** Every message, by its name. */
export const messages: ReadonlyMap<string, Fields> = new Map(Object.entries(definitions));

/**
 * The numbers of a message's fields, for writers. Call it when a module loads:
 *
 *     const SPAN = fieldNumbers('Span');
 *     writer.stringField(SPAN.name, text);
 */
export function fieldNumbers<Message extends MessageName>(
  message: Message,
): Readonly<Record<FieldName<Message>, number>> {
  return mapFields(message, ({ number }) => number);
}

/**
 * The tags of a message's fields, for readers. A packed field has the tag `packed(tag)`. Call it when a module loads:
 *
 *     const SPAN = fieldTags('Span');
 *     if (reader.tag() === SPAN.name) name = reader.string();
 */
export function fieldTags<Message extends MessageName>(message: Message): Readonly<Record<FieldName<Message>, number>> {
  return mapFields(message, tagOf);
}

export function tagOf({ number, type }: Field): number {
  return (number << 3) | wireTypeOf(type);
}

/** The tag of a repeated scalar field whose values are sent as one block. */
export function packed(tag: number): number {
  return (tag & ~7) | WireType.bytes;
}

function mapFields<Message extends MessageName>(
  message: Message,
  map: (field: Field) => number,
): Readonly<Record<FieldName<Message>, number>> {
  const fields: Fields = definitions[message];
  const mapped = Object.entries(fields).map(([name, field]) => [name, map(field)]);
  return Object.freeze(Object.fromEntries(mapped)) as Record<FieldName<Message>, number>;
}

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
