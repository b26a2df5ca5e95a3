import type { Signal } from '../../../src/engine/component.ts';
import { protobufFromJson } from '../../../src/engine/otlp/json/protobuf-from-json.ts';
import { isMessage, messages, requestMessages, type Field, type FieldType } from '../../../src/engine/otlp/schema.ts';

/**
 * A request that repeats one field of the schema as often as fits, written as text:
 * `traces protobuf filled resource_spans.scope_spans.spans.events*.attributes` has many events in one span, each with an
 * attribute. `empty` messages have no other content, `filled` ones differ, and have what siphon needs to process them.
 * `long` has one field with a long text.
 */
export interface RequestShape {
  readonly signal: Signal;
  readonly encoding: 'protobuf' | 'json';
  readonly content: 'empty' | 'filled' | 'long';
  readonly path: readonly string[];
  /** The index in `path` of the field that is repeated. */
  readonly repeated: number;
}

export function parseShape(text: string): RequestShape {
  const [signal, encoding, content, path = ''] = text.split(' ');
  const steps = path.split('.');
  return {
    signal: signal as Signal,
    encoding: encoding as RequestShape['encoding'],
    content: content as RequestShape['content'],
    path: steps.map((step) => step.replace('*', '')),
    repeated: steps.findIndex((step) => step.endsWith('*')),
  };
}

export function shapeText({ signal, encoding, content, path, repeated }: RequestShape): string {
  return `${signal} ${encoding} ${content} ${path.map((step, i) => (i === repeated ? `${step}*` : step)).join('.')}`;
}

/** The body of about this size. It has one ordinary item too, so that pipelines get it. */
export function shapedBody(shape: RequestShape, sizeBytes: number): Uint8Array {
  if (shape.encoding === 'json') return Buffer.from(shapedJson(shape, sizeBytes));
  // Elements are smaller in protobuf. How much, a short request shows.
  const sample = Buffer.from(shapedJson(shape, SAMPLE_BYTES));
  const ratio = sample.length / protobufFromJson(shape.signal, sample).length;
  return protobufFromJson(shape.signal, Buffer.from(shapedJson(shape, sizeBytes * Math.min(ratio, MAX_RATIO))));
}

/** Every shape of the schema whose values are not nested. */
export function* allShapes(): Generator<RequestShape> {
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    for (const path of paths(requestMessages[signal], [])) {
      for (const repeated of path.keys()) {
        for (const encoding of ['protobuf', 'json'] as const) {
          for (const content of ['empty', 'filled'] as const) yield { signal, encoding, content, path, repeated };
          if (repeated === path.length - 1 && isText(typeAt(signal, path))) {
            yield { signal, encoding, content: 'long', path, repeated };
          }
        }
      }
    }
  }
}

const SAMPLE_BYTES = 100_000;
const MAX_RATIO = 8;
/** Inside of these, the schema repeats itself. */
const MAX_PATH = 12;

function* paths(message: string, before: readonly string[]): Generator<readonly string[]> {
  for (const [name, { type }] of Object.entries(messages.get(message) ?? {})) {
    const path = [...before, name];
    yield path;
    const isRecursion = before.includes('array_value') || before.includes('kvlist_value');
    if (isMessage(type) && path.length < MAX_PATH && !isRecursion) yield* paths(type.message, path);
  }
}

function shapedJson({ signal, content, path, repeated }: RequestShape, sizeBytes: number): string {
  const types = messagesOn(signal, path);
  const outer = path.slice(0, repeated);
  const open = outer.map((name, i) => member(types[i]!, name, i > 0 ? filling(types[i]!, i) : ''));
  const close = outer.map((name, i) => (fieldOf(types[i]!, name).repeated ? ']}' : '}')).toReversed();
  const name = path[repeated]!;
  const field = fieldOf(types[repeated]!, name);
  const start = repeated > 0 ? filling(types[repeated]!, repeated) : '';
  const inner = elements(field, { name, path, types, repeated, content }, sizeBytes);
  const list = field.repeated ? `"${name}":[${inner}]` : inner;
  const body = `${open.join('')}{${start}${list}}${close.join('')}`;
  return withItem(signal, body);
}

/** `{filling"name":[` */
function member(message: string, name: string, before: string): string {
  return `{${before}"${name}":${fieldOf(message, name).repeated ? '[' : ''}`;
}

interface Place extends Pick<RequestShape, 'path' | 'repeated' | 'content'> {
  readonly name: string;
  readonly types: readonly string[];
}

function elements(field: Field, place: Place, sizeBytes: number): string {
  const key = field.repeated ? '' : `"${place.name}":`;
  if (place.content === 'long') return `${key}"${'ab'.repeat(sizeBytes / 2)}"`;
  const [first, second] = [0, 1].map((index) => `${key}${element(field.type, place, index)},`);
  if (first === second) return first!.repeat(sizeBytes / first!.length).slice(0, -1);
  const parts: string[] = [];
  for (let [size, index] = [0, 0]; size < sizeBytes; index++) {
    const part = `${key}${element(field.type, place, index)}`;
    size += part.length + 1;
    parts.push(part);
  }
  return parts.join(',');
}

/** The value of the repeated field, with the rest of the path inside it. */
function element(type: FieldType, { path, types, repeated, content }: Place, index: number): string {
  if (!isMessage(type)) return scalar(type, index, content);
  let text = '';
  for (let level = path.length - 1; level > repeated; level--) {
    const field = fieldOf(types[level]!, path[level]!);
    const before = content === 'filled' ? filling(types[level]!, index) : '';
    const leaf = level === path.length - 1 && !isMessage(field.type);
    const value = leaf ? scalar(field.type, index, content) : text || `{${inside(field.type, index, content)}}`;
    text = `{${before}"${path[level]}":${field.repeated ? `[${value}]` : value}}`;
  }
  return text || `{${inside(type, index, content)}}`;
}

function inside(type: FieldType, index: number, content: RequestShape['content']): string {
  return content === 'filled' && isMessage(type) ? filling(type.message, index).replace(/,$/, '') : '';
}

const hex = (index: number, digits: number): string => (index + 1).toString(16).padStart(digits, 'a');

/** The shortest value, or one that differs from the others. */
function scalar(type: FieldType, index: number, content: RequestShape['content']): string {
  if (typeof type === 'object') return '0';
  const isFilled = content === 'filled';
  if (type === 'bool') return 'true';
  if (type === 'trace_id' || type === 'span_id')
    return isFilled ? `"${hex(index, type === 'trace_id' ? 32 : 16)}"` : '""';
  if (type === 'string') return isFilled ? `"${index}"` : '""';
  if (type === 'bytes') return isFilled ? '"AAAA"' : '""';
  return isFilled ? String(index) : '0';
}

const TIME = '"1795465030946000001"';

/** The fields without which siphon ignores a message. Ends with a comma. */
const FILLINGS: Readonly<Record<string, (index: number) => string>> = {
  Span: (i) => `"trace_id":"${hex(i >> 4, 32)}","span_id":"${hex(i, 16)}","start_time_unix_nano":${TIME},`,
  Event: () => '"name":"exception",',
  Link: (i) => `"trace_id":"${hex(i, 32)}","span_id":"${hex(i, 16)}",`,
  KeyValue: (i) => `"key":"k${i}",`,
  Metric: (i) => `"name":"m${i}",`,
  NumberDataPoint: () => `"time_unix_nano":${TIME},"as_int":1,`,
  HistogramDataPoint: () => `"time_unix_nano":${TIME},"count":1,"sum":1,`,
  ExponentialHistogramDataPoint: () => `"time_unix_nano":${TIME},"count":1,"sum":1,`,
  SummaryDataPoint: () => `"time_unix_nano":${TIME},"count":1,"sum":1,`,
  Exemplar: (i) => `"trace_id":"${hex(i, 32)}","span_id":"${hex(i, 16)}","as_int":1,`,
  Sum: () => '"aggregation_temporality":2,"is_monotonic":true,',
  Histogram: () => '"aggregation_temporality":2,',
  ExponentialHistogram: () => '"aggregation_temporality":2,',
  InstrumentationScope: (i) => `"name":"s${i}",`,
  EntityRef: (i) => `"type":"t${i}",`,
  ResourceMetrics: (i) =>
    `"resource":{"attributes":[${attribute('service.name', 'a')},${attribute('service.instance.id', String(i))}]},`,
  ResourceSpans: (i) => `"resource":{"attributes":[${attribute('service.name', String(i))}]},`,
};

function attribute(key: string, value: string): string {
  return `{"key":"${key}","value":{"string_value":"${value}"}}`;
}

function filling(message: string, index: number): string {
  return FILLINGS[message]?.(index) ?? '';
}

/** An ordinary item before the content of the body. */
function withItem(signal: Signal, body: string): string {
  const [name, item] = ITEMS[signal];
  const resources = `"${name}":[`;
  return body.replace(resources, `${resources}${item},`);
}

const ITEMS: Readonly<Record<Signal, readonly [name: string, resource: string]>> = {
  traces: [
    'resource_spans',
    `{"scope_spans":[{"spans":[{"trace_id":"${'c'.repeat(32)}","span_id":"${'c'.repeat(16)}","name":"ordinary"}]}]}`,
  ],
  metrics: [
    'resource_metrics',
    `{"scope_metrics":[{"metrics":[{"name":"ordinary","gauge":{"data_points":[{"time_unix_nano":${TIME},"as_int":1}]}}]}]}`,
  ],
  logs: ['resource_logs', '{"scope_logs":[{"log_records":[{"body":{"string_value":"ordinary"}}]}]}'],
};

function messagesOn(signal: Signal, path: readonly string[]): string[] {
  const types: string[] = [requestMessages[signal]];
  for (const name of path) {
    const { type } = fieldOf(types.at(-1)!, name);
    if (isMessage(type)) types.push(type.message);
  }
  return types;
}

function typeAt(signal: Signal, path: readonly string[]): FieldType {
  return fieldOf(messagesOn(signal, path)[path.length - 1]!, path.at(-1)!).type;
}

function isText(type: FieldType): boolean {
  return type === 'string' || type === 'bytes';
}

function fieldOf(message: string, name: string): Field {
  const field = messages.get(message)?.[name];
  if (field === undefined) throw new Error(`${message} has no field ${name}`);
  return field;
}
