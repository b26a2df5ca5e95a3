import { CORE_SCHEMA, EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import { ConfigError } from './config-error.ts';
import type { ConfigNode, MappingNode, Place, ScalarNode } from './config-node.ts';

/** A configuration is written by hand: a larger one is a mistake or an attack. */
export const MAX_SOURCE_LENGTH = 1_048_576;
const MAX_DEPTH = 50;
/** Counted after aliases are expanded, so that a few lines of aliases do not become gigabytes. */
const MAX_NODES = 100_000;

/**
 * One YAML document (1.2 core schema, with `<<`), with the place of every value. Empty text is null.
 *
 * @param fixedPlace for text without lines of its own, such as a variable's.
 * @throws ConfigError at the first place that is not valid.
 */
export function parseYaml(source: string, text: string, fixedPlace?: Place): ConfigNode {
  if (text.length > MAX_SOURCE_LENGTH) throw refusal(fixedPlace ?? { source }, 'is larger than 1 MiB');
  try {
    const { events, indented } = parseIndented(text);
    return new TreeBuilder(events, indented, fixedPlace ?? source).build();
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? undefined : error.mark.line + 1;
    throw refusal(fixedPlace ?? { source, line }, `is not valid YAML: ${error.reason}`, error);
  }
}

/** Bounds the work for a text in which many lines must be indented. */
const MAX_PARSED_AGAIN = 10_000_000;

/**
 * The events of the text, and the text that they refer to. The parser requires the lines of a flow collection to be
 * indented more than their key, as YAML does; the Collector's parser ignores their indentation. Such lines are indented
 * here. That changes neither a value nor a line number: white space at their beginning has no meaning.
 */
function parseIndented(text: string): { readonly events: readonly Event[]; readonly indented: string } {
  let indented = text;
  let padding: string | undefined;
  for (let parsed = 0; ; parsed += text.length) {
    try {
      return { events: parseEvents(indented, { maxDepth: MAX_DEPTH }), indented };
    } catch (error) {
      const isDeficient = error instanceof YAMLException && error.reason === 'deficient indentation';
      if (!isDeficient || error.mark === undefined || parsed > MAX_PARSED_AGAIN) throw error;
      padding ??= deeperThanAllKeys(text);
      const lineStart = error.mark.position - error.mark.column;
      if (indented.startsWith(padding, lineStart)) throw error;
      indented = indented.slice(0, lineStart) + padding + indented.slice(lineStart);
    }
  }
}

const MAX_PADDING = 1000;

/** Spaces beyond the beginning of every key, also of keys after `- `. */
function deeperThanAllKeys(text: string): string {
  let deepest = 0;
  for (const [start] of text.matchAll(/^[ ?-]+/gm)) deepest = Math.max(deepest, start.length);
  return ' '.repeat(Math.min(deepest + 1, MAX_PADDING));
}

const TEXT_TAGS: ReadonlySet<string> = new Set(['!!str', '!']);
/** The value decides about its type; the schema of its setting checks it. */
const VALUE_TAGS: readonly string[] = ['!!int', '!!float', '!!bool', '!!null'];

interface Built {
  readonly node: ConfigNode;
  /** The number of nodes in it, including itself. */
  readonly size: number;
}

class TreeBuilder {
  readonly #events: readonly Event[];
  readonly #text: string;
  readonly #origin: string | Place;
  readonly #anchors = new Map<string, Built>();
  readonly #lineStarts: readonly number[];
  #next = 0;
  #nodes = 0;
  #offset = 0;

  constructor(events: readonly Event[], text: string, origin: string | Place) {
    this.#events = events;
    this.#text = text;
    this.#origin = origin;
    this.#lineStarts = lineStartsOf(text);
  }

  build(): ConfigNode {
    if (this.#events.filter(({ type }) => type === EVENT_ID.DOCUMENT).length > 1) {
      throw refusal(this.#place(), 'contains several YAML documents, but only one is allowed');
    }
    this.#next = 1;
    if ((this.#peek()?.type ?? EVENT_ID.POP) === EVENT_ID.POP) return this.#null();
    return this.#node().node;
  }

  #node(): Built {
    const event = this.#events[this.#next] as Event;
    this.#next += 1;
    const before = this.#nodes;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#finish(event, before, this.#scalar(event));
      case EVENT_ID.MAPPING:
        this.#offset = event.start;
        return this.#finish(event, before, this.#mapping());
      case EVENT_ID.SEQUENCE:
        this.#offset = event.start;
        return this.#finish(event, before, this.#sequence());
      case EVENT_ID.ALIAS:
        return this.#alias(event.anchorStart, event.anchorEnd);
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
        throw refusal(this.#place(), 'is not valid YAML: a value is missing');
    }
  }

  #finish(event: { anchorStart: number; anchorEnd: number }, before: number, node: ConfigNode): Built {
    this.#count(1);
    const built = { node, size: this.#nodes - before };
    if (event.anchorStart >= 0) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), built);
    return built;
  }

  #alias(start: number, end: number): Built {
    this.#offset = start;
    const name = this.#text.slice(start, end);
    const target = this.#anchors.get(name);
    if (target === undefined)
      throw refusal(this.#place(), `uses the alias *${name} before the anchor &${name} is defined`);
    this.#count(target.size);
    return target;
  }

  #scalar(event: ScalarEvent): ScalarNode {
    if (event.valueStart >= 0) this.#offset = event.valueStart;
    const place = this.#place();
    const text = getScalarValue(this.#text, event);
    const tag = event.tagStart >= 0 ? this.#text.slice(event.tagStart, event.tagEnd) : undefined;
    if (tag !== undefined && !TEXT_TAGS.has(tag) && !VALUE_TAGS.includes(tag)) {
      throw refusal(place, `has the YAML tag ${tag}, but only ${['!!str', ...VALUE_TAGS].join(', ')} are allowed`);
    }
    const isPlain = tag === undefined ? event.style === SCALAR_STYLE.PLAIN : VALUE_TAGS.includes(tag);
    const value = isPlain ? resolvePlain(text) : text;
    return { kind: 'scalar', place, value: value as ScalarNode['value'] };
  }

  #sequence(): ConfigNode {
    const place = this.#place();
    const items: ConfigNode[] = [];
    while (this.#peek()?.type !== EVENT_ID.POP) items.push(this.#node().node);
    this.#next += 1;
    return { kind: 'sequence', place, items };
  }

  #mapping(): MappingNode {
    const place = this.#place();
    const entries = new Map<string, ConfigNode>();
    const merged: ConfigNode[] = [];
    while (this.#peek()?.type !== EVENT_ID.POP) {
      const [key, keyPlace] = this.#key();
      const { node } = this.#node();
      if (key === '<<') merged.push(...(node.kind === 'sequence' ? node.items : [node]));
      else if (entries.has(key)) throw refusal(keyPlace, `contains the key ${key} twice in one mapping`);
      else entries.set(key, { ...node, place: keyPlace });
    }
    this.#next += 1;
    for (const base of merged) addMissing(entries, base);
    return { kind: 'mapping', place, entries };
  }

  #key(): [key: string, place: Place] {
    const event = this.#events[this.#next];
    if (event?.type !== EVENT_ID.SCALAR) throw refusal(this.#place(), 'contains a key that is not text');
    this.#next += 1;
    if (event.valueStart >= 0) this.#offset = event.valueStart;
    const key = getScalarValue(this.#text, event);
    // Every object has such a name, so checks for unknown keys would not find it.
    if (key in Object.prototype) throw refusal(this.#place(), `contains the key ${key}, which is not allowed anywhere`);
    return [key, this.#place()];
  }

  #null(): ScalarNode {
    return { kind: 'scalar', place: this.#place(), value: null };
  }

  #peek(): Event | undefined {
    return this.#events[this.#next];
  }

  #count(nodes: number): void {
    this.#nodes += nodes;
    if (this.#nodes > MAX_NODES)
      throw refusal(this.#place(), `contains more than ${MAX_NODES} values after aliases are expanded`);
  }

  #place(): Place {
    if (typeof this.#origin !== 'string') return this.#origin;
    return { source: this.#origin, line: lineAt(this.#lineStarts, this.#offset) };
  }
}

/** Numbers as the stock Collector reads them: `010` is octal 8, `10_000` is 10000, `0b11` is 3. */
function resolvePlain(text: string): unknown {
  const digits = /^[-+]?[\d.]/.test(text) ? text.replaceAll('_', '') : text;
  if (/^[-+]?0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  const [, sign, prefixed] = /^([-+]?)(0b[01]+|0o[0-7]+|0x[\da-f]+)$/i.exec(digits) ?? [];
  if (prefixed !== undefined) return Number(prefixed) * (sign === '-' ? -1 : 1);
  const { value } = CORE_SCHEMA.resolveImplicitScalarTag(digits);
  return typeof value === 'number' ? value : CORE_SCHEMA.resolveImplicitScalarTag(text).value;
}

/** YAML's `<<`: the keys of the mapping win, and an earlier base wins over a later one. */
function addMissing(entries: Map<string, ConfigNode>, base: ConfigNode): void {
  if (base.kind !== 'mapping') throw refusal(base.place, 'contains a merge key << whose value is not a mapping');
  for (const [key, node] of base.entries) if (!entries.has(key)) entries.set(key, node);
}

function lineStartsOf(text: string): number[] {
  return [0, ...[...text.matchAll(/\n|\r(?!\n)/g)].map(({ index }) => index + 1)];
}

function lineAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((lineStarts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return high;
}

function refusal(place: Place, message: string, cause?: Error): ConfigError {
  return new ConfigError([{ place, path: [], message }], cause && { cause });
}
