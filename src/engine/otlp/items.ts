import type { Signal, TelemetryBatch } from '../component.ts';
import { inSlices } from '../time-slice.ts';
import { readKeyValue, type AnyValue, type KeyValueMap } from './any-value.ts';
import { fieldTags, isMessage, itemMessages, messages, requestMessages, tagOf } from './schema.ts';
import { WireReader } from './wire-reader.ts';

/** `keep`, `drop`, or the encoded message to put in the place of an item. */
export type ItemVerdict = 'keep' | 'drop' | Uint8Array;

/** Decides about one item, in steps if that may take long. */
export type DecideItem = (item: Item) => ItemVerdict | Generator<undefined, ItemVerdict>;

/**
 * Keeps, drops or replaces each item (span, data point or log record) of a batch. Messages without remaining items
 * (a metric, a scope, a resource) are removed too. Bytes that do not change are not copied: resource blocks pass as
 * slices of the batch, and a batch without changes is returned as it is.
 *
 * A processor that drops the spans of health checks:
 *
 *     async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
 *       const kept = await rewriteItems(batch, ({ attributes }) =>
 *         textOf(attributes, 'http.route') === '/healthz' ? 'drop' : 'keep',
 *       );
 *       if (kept.itemCount > 0) return await this.#next.consume(kept);
 *     }
 *
 * Only for requests that `inspectRequest` has checked, as all batches behind a receiver are.
 */
export async function rewriteItems(batch: TelemetryBatch, decide: DecideItem): Promise<TelemetryBatch> {
  const parts = await inSlices(rewriteAll(batch, decide));
  const isUnchanged =
    parts.length === batch.chunks.length &&
    parts.every(({ chunks }, i) => chunks.length === 1 && chunks[0] === batch.chunks[i]);
  if (isUnchanged) return batch;
  return joinBatches(batch.signal, batch.isOwn === true ? parts.map((part) => ({ ...part, isOwn: true })) : parts);
}

function* rewriteAll({ signal, chunks }: TelemetryBatch, decide: DecideItem): Generator<undefined, TelemetryBatch[]> {
  const parts: TelemetryBatch[] = [];
  for (const chunk of chunks) {
    parts.push(...(yield* rewriteSteps(signal, chunk, decide)));
    yield;
  }
  return parts;
}

/** Joins batches of one signal into one. Nothing is copied: their chunks follow each other. */
export function joinBatches(signal: Signal, batches: readonly TelemetryBatch[]): TelemetryBatch {
  const [first] = batches;
  if (first !== undefined && batches.length === 1) return first;
  return {
    signal,
    chunks: batches.flatMap(({ chunks }) => chunks),
    itemCount: sum(batches.map(({ itemCount }) => itemCount)),
    sizeBytes: sum(batches.map(({ sizeBytes }) => sizeBytes)),
    ...(batches.every(({ isOwn }) => isOwn === true) ? { isOwn: true } : {}),
  };
}

/**
 * Rewrites one request. `cut` keeps the item and begins a new part with it: each part is a batch of its own, and
 * repeats the resource, scope and metric of its items. Yields where other work may run.
 *
 * @returns one part for the request and one more for each cut. A part without items is left out. If the parts would
 * repeat many times as much as the request has, it is one part, as if nothing had been cut.
 */
export function* rewriteSteps(
  signal: Signal,
  request: Uint8Array,
  decide: (item: Item) => ReturnType<DecideItem> | 'cut',
): Generator<undefined, readonly TelemetryBatch[]> {
  const rewrite = new Rewrite(request, decide);
  const whole: Block = { type: requestMessages[signal], start: 0, end: request.length, parent: undefined };
  const parts = yield* rewrite.block(whole);
  if (rewrite.repeatsTooMuch)
    return [{ signal, chunks: [request], itemCount: rewrite.itemCount, sizeBytes: request.length }];
  return parts
    .filter(({ itemCount }) => itemCount > 0 || !rewrite.hasChanged)
    .map((part) => ({
      signal,
      chunks: rewrite.hasChanged ? part.finish() : [request],
      itemCount: part.itemCount,
      sizeBytes: rewrite.hasChanged ? part.sizeBytes : request.length,
    }));
}

/** A message that contains items: a request, a block of a resource or a scope, a metric or its data. */
interface Block {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly parent: Block | undefined;
  /** Decoded once for all items of a resource. */
  resource?: KeyValueMap;
}

/** A span, data point or log record of a request. Its properties are decoded when they are read. */
export class Item {
  /** The name of its message: `Span`, `LogRecord`, `NumberDataPoint`, `HistogramDataPoint`, … */
  readonly type: string;
  readonly #request: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #parent: Block;

  constructor(request: Uint8Array, { type, start, end }: Omit<Block, 'parent'>, parent: Block) {
    this.type = type;
    this.#request = request;
    this.#start = start;
    this.#end = end;
    this.#parent = parent;
  }

  /** The encoded message, a slice of the request. */
  get bytes(): Uint8Array {
    return this.#request.subarray(this.#start, this.#end);
  }

  get attributes(): KeyValueMap {
    return readAttributes(this.type, new WireReader(this.#request, this.#start, this.#end));
  }

  /** The attributes of its resource. */
  get resource(): KeyValueMap {
    let block = this.#parent;
    while (block.parent?.parent !== undefined) block = block.parent;
    block.resource ??= this.#readResource(block);
    return block.resource;
  }

  /** The encoded metric of a data point; undefined for spans and log records. */
  get metric(): Uint8Array | undefined {
    const metric = this.#parent.parent;
    return metric?.type === 'Metric' ? this.#request.subarray(metric.start, metric.end) : undefined;
  }

  /** Equal for the data points of one metric, and only for them. */
  get metricBlock(): unknown {
    return this.#parent.parent;
  }

  /** `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram` or `Summary` for a data point. */
  get dataType(): string {
    return this.#parent.type;
  }

  /** The name of the metric of a data point; undefined for spans and log records. */
  get metricName(): string | undefined {
    const metric = this.#parent.parent;
    if (metric?.type !== 'Metric') return undefined;
    let name = '';
    for (const reader = this.#readerOf(metric); !reader.done;) {
      const tag = reader.tag();
      if (tag === METRIC.name) name = reader.string();
      else reader.skip(tag);
    }
    return name;
  }

  #readResource(block: Block): KeyValueMap {
    const attributes = new Map<string, AnyValue>();
    for (const reader = this.#readerOf(block); !reader.done;) {
      const tag = reader.tag();
      if (tag === RESOURCE_BLOCK.resource) readAttributes('Resource', reader.message(), attributes);
      else reader.skip(tag);
    }
    return attributes;
  }

  #readerOf({ start, end }: Omit<Block, 'parent'>): WireReader {
    return new WireReader(this.#request, start, end);
  }
}

const METRIC = fieldTags('Metric');
/** The field `resource` has the same tag in the blocks of all signals. */
const RESOURCE_BLOCK = fieldTags('ResourceSpans');

/** For each type of message and each tag: the type of the embedded message, if that contains items or is one. */
const itemFields: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map(
  [...messages.keys()].map((type) => [type, fieldsWithItems(type)]),
);

const attributeTags: ReadonlyMap<string, number> = new Map(
  [...messages].flatMap(([type, { attributes }]) => (attributes === undefined ? [] : [[type, tagOf(attributes)]])),
);

function fieldsWithItems(type: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const field of Object.values(messages.get(type) ?? {})) {
    if (isMessage(field.type) && containsItems(field.type.message)) found.set(tagOf(field), field.type.message);
  }
  return found;
}

/** Attribute values contain themselves, but never items. */
function containsItems(type: string): boolean {
  return itemMessages.has(type) || (type !== 'AnyValue' && fieldsWithItems(type).size > 0);
}

/** How many times the size of a request its parts may have, and how much more. */
const MAX_GROWTH = 2;
const FREE_BYTES = 1024 * 1024;
const STEP_FIELDS = 256;
/** Slices take more memory than the few bytes that they may have. */
const MAX_SLICES = 1024;

class Rewrite {
  readonly #request: Uint8Array;
  readonly #decide: Parameters<typeof rewriteSteps>[2];
  #changes = 0;
  #itemCount = 0;
  #copiedBytes = 0;
  #steps = 0;

  constructor(request: Uint8Array, decide: Parameters<typeof rewriteSteps>[2]) {
    this.#request = request;
    this.#decide = decide;
  }

  get hasChanged(): boolean {
    return this.#changes > 0;
  }

  get itemCount(): number {
    return this.#itemCount;
  }

  /** True if the parts are not complete, because they would take too much memory. */
  get repeatsTooMuch(): boolean {
    return this.#copiedBytes > this.#request.length * MAX_GROWTH + FREE_BYTES;
  }

  /** The parts of one message, without its tag. The first continues the current part of the message around it. */
  *block(block: Block): Generator<undefined, Part[]> {
    const fields = itemFields.get(block.type) as ReadonlyMap<number, string>;
    const changesBefore = this.#changes;
    const others = new Part(this.#request);
    const parts = [new Part(this.#request)];
    for (const reader = new WireReader(this.#request, block.start, block.end); !reader.done;) {
      const fieldStart = reader.position;
      const tag = reader.tag();
      const type = fields.get(tag);
      if (type === undefined) {
        reader.skip(tag);
        others.keep(fieldStart, reader.position, 0);
        if (++this.#steps % STEP_FIELDS === 0) yield;
        continue;
      }
      const end = reader.varint() + reader.position;
      const child: Block = { type, start: reader.position, end, parent: block };
      if (itemMessages.has(type)) {
        const answer = this.#decide(new Item(this.#request, child, block));
        const verdict = typeof answer === 'string' || answer instanceof Uint8Array ? answer : yield* answer;
        this.#item(child, { tag, fieldStart, verdict }, parts);
      } else yield* this.#nested(child, { tag, fieldStart }, parts);
      reader.position = end;
      if (++this.#steps % STEP_FIELDS === 0) yield;
    }
    if (this.#changes === changesBefore) return parts;
    others.join();
    return parts.map((part) => part.after(others));
  }

  #item(item: Block, { tag, fieldStart, verdict }: DecidedField, parts: Part[]): void {
    this.#itemCount++;
    if (verdict !== 'keep') this.#changes++;
    if (verdict === 'drop') return;
    if (verdict === 'cut') parts.push(new Part(this.#request));
    const part = parts.at(-1) as Part;
    if (typeof verdict === 'string') part.keep(fieldStart, item.end, 1);
    else part.append([header(tag, verdict.length), verdict], 1);
  }

  *#nested(
    block: Block,
    { tag, fieldStart }: { tag: number; fieldStart: number },
    parts: Part[],
  ): Generator<undefined, undefined> {
    const changesBefore = this.#changes;
    const inner = yield* this.block(block);
    if (this.#changes === changesBefore) {
      (parts.at(-1) as Part).keep(fieldStart, block.end, (inner[0] as Part).itemCount);
      return;
    }
    for (const [index, part] of inner.entries()) {
      if (index > 0) parts.push(new Part(this.#request));
      if (part.itemCount === 0) continue;
      const field = [header(tag, part.sizeBytes), ...part.finish()];
      // A chunk must be a request: it begins and ends between the fields of the outermost message.
      const isChunk = block.parent?.parent === undefined;
      if (isChunk) this.#copiedBytes += part.sizeBytes;
      if (this.repeatsTooMuch) return;
      (parts.at(-1) as Part).append(isChunk ? [Buffer.concat(field)] : field, part.itemCount);
      yield;
    }
  }
}

interface DecidedField {
  readonly tag: number;
  readonly fieldStart: number;
  readonly verdict: ItemVerdict | 'cut';
}

/** Fields of a message, as slices. Adjacent bytes of the request are one slice. */
class Part {
  readonly #request: Uint8Array;
  #slices: Uint8Array[] = [];
  /** How many slices at the beginning are already joined. */
  #joined = 0;
  /** The bytes of the request that become the next slice. */
  #start = 0;
  #end = 0;
  #itemCount = 0;
  #sizeBytes = 0;

  constructor(request: Uint8Array) {
    this.#request = request;
  }

  get itemCount(): number {
    return this.#itemCount;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Adds fields of the request as they are. */
  keep(start: number, end: number, itemCount: number): void {
    if (start !== this.#end) {
      this.#flush();
      this.#start = start;
    }
    this.#end = end;
    this.#itemCount += itemCount;
    this.#sizeBytes += end - start;
  }

  append(slices: readonly Uint8Array[], itemCount: number): void {
    this.#flush();
    for (const slice of slices) this.#push(slice);
    this.#itemCount += itemCount;
    this.#sizeBytes += sum(slices.map(({ length }) => length));
  }

  /** The fields of `first`, then those of this part. */
  after(first: Part): Part {
    const joined = new Part(this.#request);
    joined.append(first.finish(), first.itemCount);
    joined.append(this.finish(), this.itemCount);
    return joined;
  }

  finish(): readonly Uint8Array[] {
    this.#flush();
    return this.#slices;
  }

  /** Makes it one slice. */
  join(): void {
    this.#flush();
    if (this.#slices.length > 1) this.#slices = [Buffer.concat(this.#slices)];
  }

  #push(slice: Uint8Array): void {
    this.#slices.push(slice);
    if (this.#slices.length - this.#joined < MAX_SLICES) return;
    this.#slices.push(Buffer.concat(this.#slices.splice(this.#joined)));
    this.#joined++;
  }

  #flush(): void {
    if (this.#end > this.#start) this.#push(this.#request.subarray(this.#start, this.#end));
    this.#start = 0;
    this.#end = 0;
  }
}

/** The attributes of a message of this type, added to those that are given. */
export function readAttributes(
  type: string,
  reader: WireReader,
  attributes = new Map<string, AnyValue>(),
): Map<string, AnyValue> {
  const attributesTag = attributeTags.get(type);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === attributesTag) readKeyValue(reader.message(), attributes);
    else reader.skip(tag);
  }
  return attributes;
}

/** The tag and length before an embedded message. */
function header(tag: number, length: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest of [tag, length]) {
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
