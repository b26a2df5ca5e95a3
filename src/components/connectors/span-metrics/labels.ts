import { anyValueToText, readKeyValue, writeKeyValue, type AnyValue } from '../../../engine/otlp/any-value.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import type { Dimensions } from './dimensions.ts';

/** An attribute as it was sent, and its value as text. */
export interface Attribute {
  /** The message `KeyValue`. */
  readonly encoded: Uint8Array;
  readonly text: string;
}

export type Attributes = ReadonlyMap<string, Attribute>;

/** One label set of a metric. */
export interface Labels {
  /** Encoded messages `KeyValue`. */
  readonly attributes: readonly Uint8Array[];
  /** Equal for equal label sets. */
  readonly text: string;
}

/** Reads messages `KeyValue`. The last one of a key counts. They do not refer to the request's buffer. */
export function readAttributes(messages: Iterable<Uint8Array>): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const message of messages) {
    const value = new Map<string, AnyValue>();
    readKeyValue(new WireReader(message), value);
    for (const [key, one] of value)
      attributes.set(key, { encoded: new Uint8Array(message), text: anyValueToText(one) });
  }
  return attributes;
}

export function attribute(key: string, value: string | boolean): Attribute {
  const writer = new WireWriter(64);
  writeKeyValue(writer, 1, key, value);
  const reader = new WireReader(writer.finish());
  reader.tag();
  return { encoded: reader.bytes(), text: String(value) };
}

/**
 * The labels of a series: `own`, and those that the dimensions select. The attributes of a span come before those of its
 * event and its resource.
 */
export function labelsOf(own: Attributes, dimensions: readonly Dimensions[], sources: readonly Attributes[]): Labels {
  const labels = new Map(own);
  for (const { named, globs } of dimensions) {
    for (const { name, fallback } of named) {
      const found = sources.find((source) => source.has(name))?.get(name);
      if (found !== undefined) labels.set(name, found);
      else if (fallback !== undefined) labels.set(name, attribute(name, fallback));
    }
    if (globs.length === 0) continue;
    for (const source of sources.toReversed()) {
      for (const [key, one] of source) if (globs.some((matches) => matches(key))) labels.set(key, one);
    }
  }
  const sorted = [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const texts = sorted.map(([key, { text }]) => `${key.length} ${key}${text.length} ${text}`);
  return { attributes: [...labels.values()].map(({ encoded }) => encoded), text: texts.join('') };
}
