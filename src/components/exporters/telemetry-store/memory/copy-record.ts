import type { ByteDictionary } from './byte-dictionary.ts';
import type { Segment } from './segment.ts';

const TIME_WORDS = 4;
const LINK_WORDS = 12;

/** Copies spans and log records from one segment to another, which has dictionaries of its own. */
export class RecordCopier {
  readonly #from: Segment;
  readonly #to: Segment;
  readonly #texts: Translation;
  readonly #pairs: Translation;
  readonly #traces: Translation;
  readonly #resources: Translation;
  readonly #scopes: Translation;
  #at = 0;

  constructor(from: Segment, to: Segment) {
    this.#from = from;
    this.#to = to;
    this.#texts = new Translation(from.texts, to.texts);
    this.#pairs = new Translation(from.pairs, to.pairs);
    this.#traces = new Translation(from.traces, to.traces);
    this.#resources = new Translation(from.lists, to.lists, (words) => this.#resource(words));
    this.#scopes = new Translation(from.lists, to.lists, (words) => this.#scope(words));
  }

  span(row: number): void {
    const { cells: source } = this.#from.spans;
    const to = this.#to.spans.add();
    const { cells: target } = this.#to.spans;
    for (const name of ['spanId', 'parentId', 'startNs', 'endNs'] as const) {
      target[name][2 * to] = source[name][2 * row] as number;
      target[name][2 * to + 1] = source[name][2 * row + 1] as number;
    }
    target.traits[to] = source.traits[row] as number;
    target.trace[to] = this.#traces.of(source.trace[row] as number);
    target.name[to] = this.#texts.of(source.name[row] as number);
    target.resource[to] = this.#resources.of(source.resource[row] as number);
    target.scope[to] = this.#scopes.of(source.scope[row] as number);
    target.details[to] = this.#to.words.length;
    this.#at = source.details[row] as number;
    this.#list();
    this.#optional(this.#texts);
    for (let left = this.#copy(); left > 0; left--) {
      this.#copyAll(TIME_WORDS);
      this.#to.words.push(this.#texts.of(this.#word()));
      this.#list();
    }
    for (let left = this.#copy(); left > 0; left--) {
      this.#copyAll(LINK_WORDS);
      this.#list();
    }
  }

  log(row: number): void {
    const { cells: source } = this.#from.logs;
    const to = this.#to.logs.add();
    const { cells: target } = this.#to.logs;
    for (const name of ['spanId', 'timeNs'] as const) {
      target[name][2 * to] = source[name][2 * row] as number;
      target[name][2 * to + 1] = source[name][2 * row + 1] as number;
    }
    target.severity[to] = source.severity[row] as number;
    target.trace[to] = this.#traces.optional(source.trace[row] as number);
    target.severityText[to] = this.#texts.optional(source.severityText[row] as number);
    target.eventName[to] = this.#texts.optional(source.eventName[row] as number);
    target.resource[to] = this.#resources.of(source.resource[row] as number);
    target.scope[to] = this.#scopes.of(source.scope[row] as number);
    target.details[to] = this.#to.words.length;
    this.#at = source.details[row] as number;
    this.#list();
    this.#optional(this.#pairs);
  }

  #word(): number {
    return this.#from.words.at(this.#at++);
  }

  #copy(): number {
    const word = this.#word();
    this.#to.words.push(word);
    return word;
  }

  #copyAll(count: number): void {
    for (let i = 0; i < count; i++) this.#copy();
  }

  #list(): void {
    for (let left = this.#copy(); left > 0; left--) this.#to.words.push(this.#pairs.of(this.#word()));
  }

  #optional(translation: Translation): void {
    this.#to.words.push(translation.optional(this.#word()));
  }

  #resource(words: Buffer): Buffer {
    const translated = Buffer.from(words);
    for (let at = 0; at < words.length; at += 2) {
      translated.writeUInt16LE(this.#pairs.of(words.readUInt16LE(at)), at);
    }
    return translated;
  }

  #scope(words: Buffer): Buffer {
    const translated = Buffer.from(words);
    translated.writeUInt16LE(this.#texts.of(words.readUInt16LE(0)), 0);
    translated.writeUInt16LE(this.#texts.of(words.readUInt16LE(2)), 2);
    return translated;
  }
}

/** The numbers in the target of the entries that were copied. */
class Translation {
  readonly #from: ByteDictionary;
  readonly #to: ByteDictionary;
  readonly #translate: (bytes: Buffer) => Buffer;
  /** Numbers + 1. */
  readonly #known: Uint16Array;

  constructor(from: ByteDictionary, to: ByteDictionary, translate: (bytes: Buffer) => Buffer = (bytes) => bytes) {
    this.#from = from;
    this.#to = to;
    this.#translate = translate;
    this.#known = new Uint16Array(from.count);
  }

  of(entry: number): number {
    const known = this.#known[entry] as number;
    if (known > 0) return known - 1;
    const number = this.#to.internBytes(this.#translate(this.#from.bytesOf(entry)));
    this.#known[entry] = number + 1;
    return number;
  }

  /** Translates a number + 1, or 0. */
  optional(entry: number): number {
    return entry === 0 ? 0 : this.of(entry - 1) + 1;
  }
}
