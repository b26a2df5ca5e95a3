import { WireReader } from '../../../src/engine/otlp/wire-reader.ts';

/** A decoded message: fields by name; repeated ones are lists, absent ones are absent. */
export interface Message {
  readonly [field: string]: unknown;
}

type Kind = 'text' | 'integer' | 'zigzag' | 'double' | keyof typeof MESSAGES;
type Fields = Readonly<Record<number, readonly [name: string, kind: string, repeated?: 'repeated']>>;

/** https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto */
const MESSAGES = {
  family: {
    1: ['name', 'text'],
    2: ['help', 'text'],
    3: ['type', 'integer'],
    4: ['metrics', 'metric', 'repeated'],
  },
  metric: {
    1: ['labels', 'label', 'repeated'],
    2: ['gauge', 'number'],
    3: ['counter', 'number'],
    4: ['summary', 'summary'],
    6: ['timestampMs', 'integer'],
    7: ['histogram', 'histogram'],
  },
  label: { 1: ['name', 'text'], 2: ['value', 'text'] },
  number: { 1: ['value', 'double'], 2: ['exemplar', 'exemplar'], 3: ['created', 'time'] },
  summary: {
    1: ['count', 'integer'],
    2: ['sum', 'double'],
    3: ['quantiles', 'quantile', 'repeated'],
    4: ['created', 'time'],
  },
  quantile: { 1: ['quantile', 'double'], 2: ['value', 'double'] },
  histogram: {
    1: ['count', 'integer'],
    2: ['sum', 'double'],
    3: ['buckets', 'bucket', 'repeated'],
    5: ['schema', 'zigzag'],
    6: ['zeroThreshold', 'double'],
    7: ['zeroCount', 'integer'],
    9: ['negativeSpans', 'span', 'repeated'],
    10: ['negativeDeltas', 'zigzag', 'repeated'],
    12: ['positiveSpans', 'span', 'repeated'],
    13: ['positiveDeltas', 'zigzag', 'repeated'],
    15: ['created', 'time'],
    16: ['exemplars', 'exemplar', 'repeated'],
  },
  bucket: { 1: ['count', 'integer'], 2: ['bound', 'double'], 3: ['exemplar', 'exemplar'] },
  span: { 1: ['offset', 'zigzag'], 2: ['length', 'integer'] },
  exemplar: { 1: ['labels', 'label', 'repeated'], 2: ['value', 'double'], 3: ['time', 'time'] },
  time: { 1: ['seconds', 'integer'], 2: ['nanos', 'integer'] },
} as const satisfies Record<string, Fields>;

/** Reads delimited `MetricFamily` messages. Throws where a field is unknown. */
export function parsePrometheusProtobuf(bytes: Uint8Array): Message[] {
  const families: Message[] = [];
  for (const reader = new WireReader(bytes); !reader.done;) families.push(decode(reader.message(), MESSAGES.family));
  return families;
}

function decode(reader: WireReader, fields: Fields): Message {
  const message: Record<string, unknown> = {};
  while (!reader.done) {
    const tag = reader.tag();
    const field = fields[tag >>> 3];
    if (field === undefined) throw new Error(`unknown field ${tag >>> 3}`);
    const [name, kind, repeated] = field;
    const values = repeated && kind === 'zigzag' ? unpack(reader.message()) : [read(reader, kind as Kind)];
    message[name] = repeated ? [...((message[name] as unknown[] | undefined) ?? []), ...values] : values[0];
  }
  return message;
}

function read(reader: WireReader, kind: Kind): unknown {
  if (kind === 'text') return reader.string();
  if (kind === 'integer') return reader.varint();
  if (kind === 'zigzag') return zigzag(reader.varint());
  return kind === 'double' ? reader.double() : decode(reader.message(), MESSAGES[kind]);
}

function unpack(reader: WireReader): number[] {
  const values: number[] = [];
  while (!reader.done) values.push(zigzag(reader.varint()));
  return values;
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
