import { readAnyValue, type AnyValue } from '../../../engine/otlp/any-value.ts';
import { readAttributes, type Item } from '../../../engine/otlp/items.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';

/** The kinds of things that have paths. */
export type Owner = 'resource' | 'span' | 'spanevent' | 'metric' | 'datapoint' | 'log';

/** The subject of a condition: an item, or an event of a span. */
export interface Subject {
  readonly item: Item;
  /** The encoded event. */
  readonly event?: Uint8Array;
}

/** Reads a value of a subject; null stands for nil. */
export type Getter = (subject: Subject) => AnyValue;

const SPAN = fieldTags('Span');
const STATUS = fieldTags('Status');
const EVENT = fieldTags('Event');
const METRIC = fieldTags('Metric');
const NUMBER = fieldTags('NumberDataPoint');
const LOG = fieldTags('LogRecord');

const NOTHING = new Uint8Array();

const METRIC_TYPES: Readonly<Record<string, number>> = {
  Gauge: 1,
  Sum: 2,
  Histogram: 3,
  ExponentialHistogram: 4,
  Summary: 5,
};

/** An empty text for a root. */
export const parentSpanId = id(SPAN.parent_span_id);

/** The paths of each owner. Those that end in attributes, and the body, may have keys in brackets. */
export const PATHS: Readonly<Record<Owner, Readonly<Record<string, Getter>>>> = {
  resource: { attributes: ({ item }) => item.resource },
  span: {
    name: text('item', SPAN.name),
    kind: ({ item }) => readerAt(item.bytes, SPAN.kind)?.varint() ?? 0,
    'status.code': ({ item }) => statusOf(item, STATUS.code)?.varint() ?? 0,
    'status.message': ({ item }) => statusOf(item, STATUS.message)?.string() ?? '',
    'trace_id.string': id(SPAN.trace_id),
    'span_id.string': id(SPAN.span_id),
    'parent_span_id.string': parentSpanId,
    attributes: ({ item }) => item.attributes,
  },
  spanevent: {
    name: text('event', EVENT.name),
    attributes: ({ event }) => readAttributes('Event', new WireReader(event ?? NOTHING)),
  },
  metric: {
    name: text('metric', METRIC.name),
    description: text('metric', METRIC.description),
    unit: text('metric', METRIC.unit),
    type: ({ item }) => METRIC_TYPES[item.dataType] ?? 0,
  },
  datapoint: {
    attributes: ({ item }) => item.attributes,
    value_int: ({ item }) => numberOf(item, NUMBER.as_int, (reader) => reader.int64()),
    value_double: ({ item }) => numberOf(item, NUMBER.as_double, (reader) => reader.double()),
  },
  log: {
    body: ({ item }) => bodyOf(item),
    severity_number: ({ item }) => readerAt(item.bytes, LOG.severity_number)?.varint() ?? 0,
    severity_text: text('item', LOG.severity_text),
    'trace_id.string': id(LOG.trace_id),
    'span_id.string': id(LOG.span_id),
    attributes: ({ item }) => item.attributes,
  },
};

/** A reader at the last field with this tag. */
function readerAt(bytes: Uint8Array | undefined, wanted: number): WireReader | undefined {
  if (bytes === undefined) return undefined;
  let position: number | undefined;
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === wanted) position = reader.position;
    reader.skip(tag);
  }
  return position === undefined ? undefined : new WireReader(bytes, position, bytes.length);
}

function text(part: 'item' | 'event' | 'metric', tag: number): Getter {
  return ({ item, event }) => {
    const bytes = { item: item.bytes, event, metric: part === 'metric' ? item.metric : undefined }[part];
    return readerAt(bytes, tag)?.string() ?? '';
  };
}

/** An absent id is a text without characters. */
function id(tag: number): Getter {
  return ({ item }) => {
    const bytes = readerAt(item.bytes, tag)?.bytes() ?? NOTHING;
    const hex = Buffer.from(bytes).toString('hex');
    return /^0*$/.test(hex) ? '' : hex;
  };
}

function statusOf(item: Item, tag: number): WireReader | undefined {
  return readerAt(readerAt(item.bytes, SPAN.status)?.bytes(), tag);
}

/** As in the stock Collector, the number of another type is 0, and points of other metrics have none. */
function numberOf(item: Item, tag: number, read: (reader: WireReader) => bigint | number): AnyValue {
  if (item.type !== 'NumberDataPoint') return null;
  const reader = readerAt(item.bytes, tag);
  return reader === undefined ? 0 : read(reader);
}

function bodyOf(item: Item): AnyValue {
  let body: AnyValue = null;
  for (const reader = new WireReader(item.bytes); !reader.done;) {
    const tag = reader.tag();
    if (tag === LOG.body) body = readAnyValue(reader.message(), body);
    else reader.skip(tag);
  }
  return body;
}
