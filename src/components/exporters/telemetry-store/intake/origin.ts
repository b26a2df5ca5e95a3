import { fieldTags } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { cleanName } from '../../../../privacy/privacy.ts';
import type { Segment } from '../memory/segment.ts';
import type { PairList } from './pair-list.ts';
import { Ranges } from './ranges.ts';

const RESOURCE = fieldTags('Resource');
const SCOPE = fieldTags('InstrumentationScope');

const MAX_RESOURCE_ATTRIBUTES = 256;
const MAX_SCOPE_BYTES = 256;

/** The resource and the scope of items. Knows their numbers in the segment that was asked for last. */
export class Origin {
  readonly #pairs: PairList;
  readonly #view: DataView;
  readonly #resource: Ranges;
  readonly #name: string;
  readonly #version: string;
  #segment: Segment | undefined;
  /** In `Segment.lists`. Valid after `enter`. */
  resource = 0;
  scope = 0;

  constructor(
    pairs: PairList,
    chunk: { readonly view: DataView; readonly resource: Ranges; readonly scope: ScopeName },
  ) {
    this.#pairs = pairs;
    this.#view = chunk.view;
    this.#resource = chunk.resource;
    this.#name = chunk.scope.name;
    this.#version = chunk.scope.version;
  }

  /** Finds the numbers for items that this segment gets. */
  enter(segment: Segment): void {
    if (segment === this.#segment) return;
    this.#segment = segment;
    const { lists, texts } = segment;
    this.resource = lists.internBytes(bytesOf(this.#pairs.read(segment, this.#view, this.#resource)));
    const scope = [this.#name, this.#version].map((text) => texts.internBytes(Buffer.from(text)));
    this.scope = lists.internBytes(bytesOf(scope));
  }
}

export interface ScopeName {
  readonly name: string;
  readonly version: string;
}

/** Reads a `Resource`. A further one of the same message adds to `target`. */
export function readResource(reader: WireReader, target: Ranges): void {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag !== RESOURCE.attributes) reader.skip(tag);
    else {
      const { position, end } = reader.message();
      target.add(position, end);
    }
  }
}

export function newResource(): Ranges {
  return new Ranges(MAX_RESOURCE_ATTRIBUTES);
}

/** Reads an `InstrumentationScope`. */
export function readScope(reader: WireReader): ScopeName {
  let [name, version] = ['', ''];
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === SCOPE.name) name = cleanName(reader.string(MAX_SCOPE_BYTES));
    else if (tag === SCOPE.version) version = cleanName(reader.string(MAX_SCOPE_BYTES));
    else reader.skip(tag);
  }
  return { name, version };
}

/** Numbers of 16 bits. */
function bytesOf(numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(2 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt16LE(number, 2 * i);
  return bytes;
}
