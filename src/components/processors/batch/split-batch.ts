import type { Signal, TelemetryBatch } from '../../../engine/component.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';

/** The fields that lead from a request down to its items: resource blocks, scope blocks, items. */
const PATHS: Readonly<Record<Signal, readonly (readonly number[])[]>> = {
  traces: [[1], [2], [2]],
  logs: [[1], [2], [2]],
  // metric, then one of gauge, sum, histogram, exponential histogram and summary, then the point
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
};

type Path = (typeof PATHS)[Signal];

interface Piece {
  readonly bytes: Uint8Array;
  readonly items: number;
}

/**
 * Cuts a batch into batches of at most `maxItems`; 0 means no limit. Chunks that fit are passed on as they are;
 * a message that has to be cut is written anew, its other fields in every part.
 */
export function splitBatch(batch: TelemetryBatch, maxItems: number): readonly TelemetryBatch[] {
  if (maxItems === 0 || batch.itemCount <= maxItems) return [batch];
  const groups = new Groups(maxItems, maxItems);
  for (const chunk of batch.chunks) groups.add(chunk, PATHS[batch.signal]);
  return groups.finish().map((pieces) => toBatch(batch.signal, pieces));
}

/** Gathers pieces into groups of at most `maxItems`, the first of at most `room`. */
class Groups {
  readonly #maxItems: number;
  readonly #groups: Piece[][] = [];
  #group: Piece[] = [];
  #room: number;

  constructor(maxItems: number, room: number) {
    this.#maxItems = maxItems;
    this.#room = room;
  }

  /** @param path leads from this message to its items; an empty one says that it is an item. */
  add(bytes: Uint8Array, path: Path, tag = 0): void {
    const items = countItems(bytes, path);
    if (items <= this.#room) this.#push({ bytes: withTag(tag, bytes), items });
    else if (path.length === 0 || this.#room === 0) {
      this.#close();
      this.add(bytes, path, tag);
    } else this.#addParts(bytes, path, tag);
  }

  finish(): readonly (readonly Piece[])[] {
    if (this.#group.length > 0) this.#close();
    return this.#groups;
  }

  #addParts(bytes: Uint8Array, path: Path, tag: number): void {
    for (const [index, part] of cut(bytes, path, this.#maxItems, this.#room).entries()) {
      if (index > 0) this.#close();
      this.#push({ bytes: withTag(tag, part.bytes), items: part.items });
    }
  }

  #push(piece: Piece): void {
    this.#group.push(piece);
    this.#room -= piece.items;
  }

  #close(): void {
    if (this.#group.length > 0) this.#groups.push(this.#group);
    this.#group = [];
    this.#room = this.#maxItems;
  }
}

/** Cuts one message into messages of at most `maxItems`, the first of at most `room`. */
function cut(bytes: Uint8Array, path: Path, maxItems: number, room: number): readonly Piece[] {
  const [fields = [], ...below] = path;
  const groups = new Groups(maxItems, room);
  const others: Uint8Array[] = [];
  for (const { tag, body, raw } of readFields(bytes)) {
    if (isChild(tag, fields)) groups.add(body, below, tag);
    else others.push(raw);
  }
  return groups.finish().map((pieces) => ({
    bytes: Buffer.concat([...others, ...pieces.map((piece) => piece.bytes)]),
    items: pieces.reduce((sum, { items }) => sum + items, 0),
  }));
}

function countItems(bytes: Uint8Array, path: Path): number {
  const [fields, ...below] = path;
  if (fields === undefined) return 1;
  let items = 0;
  for (const reader = new WireReader(bytes); !reader.done;) {
    const tag = reader.tag();
    if (isChild(tag, fields)) items += countItems(reader.bytes(), below);
    else reader.skip(tag);
  }
  return items;
}

function* readFields(bytes: Uint8Array): Generator<{ tag: number; body: Uint8Array; raw: Uint8Array }> {
  for (const reader = new WireReader(bytes); !reader.done;) {
    const start = reader.position;
    const tag = reader.tag();
    const valueStart = reader.position;
    reader.skip(tag);
    const raw = bytes.subarray(start, reader.position);
    const body = (tag & 7) === 2 ? new WireReader(bytes, valueStart).bytes() : raw;
    yield { tag, body, raw };
  }
}

function isChild(tag: number, fields: readonly number[]): boolean {
  return (tag & 7) === 2 && fields.includes(tag >>> 3);
}

/** The message as a field of its parent; a chunk, which has none, stays as it is. */
function withTag(tag: number, bytes: Uint8Array): Uint8Array {
  if (tag === 0) return bytes;
  const writer = new WireWriter(bytes.length + 12);
  writer.bytesField(tag >>> 3, bytes);
  return writer.finish();
}

function toBatch(signal: Signal, pieces: readonly Piece[]): TelemetryBatch {
  return {
    signal,
    chunks: pieces.map(({ bytes }) => bytes),
    itemCount: pieces.reduce((sum, { items }) => sum + items, 0),
    sizeBytes: pieces.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}
