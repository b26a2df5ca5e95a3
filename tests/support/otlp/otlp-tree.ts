import type { Signal } from '../../../src/engine/component.ts';
import { isMessage, messages, requestMessages } from '../../../src/engine/otlp/schema.ts';
import { WireReader, WireType } from '../../../src/engine/otlp/wire-reader.ts';

/** A message as a list of fields, sorted by name, without default values. */
export type OtlpTree = readonly (readonly [field: string, value: string | OtlpTree])[];

/**
 * Parses a request into a form that does not depend on its encoding: two requests with equal trees are equivalent. Reads
 * every byte, and throws where a reader would fail.
 */
export function otlpTree(signal: Signal, bytes: Uint8Array): OtlpTree {
  return readTree(requestMessages[signal], new WireReader(bytes));
}

/** In these messages the presence of a field matters, also with its default value. */
const ONE_OF = new Set(['AnyValue', 'NumberDataPoint']);

const fieldsByNumber = new Map(
  [...messages].map(([message, fields]) => [
    message,
    new Map(Object.entries(fields).map(([name, { number, type }]) => [number, { name, type }])),
  ]),
);

function readTree(message: string, reader: WireReader): OtlpTree {
  const tree: [string, string | OtlpTree][] = [];
  const fields = fieldsByNumber.get(message);
  while (!reader.done) {
    const tag = reader.tag();
    const { name, type } = fields?.get(Math.floor(tag / 8)) ?? { name: `${tag}`, type: undefined };
    const value =
      type !== undefined && isMessage(type) ? readTree(type.message, reader.message()) : readText(reader, tag);
    if (ONE_OF.has(message) || (value !== '' && value.length > 0)) tree.push([name, value]);
  }
  return tree.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
}

function readText(reader: WireReader, tag: number): string {
  if ((tag & 7) === WireType.bytes) return Buffer.from(reader.bytes()).toString('hex');
  const start = reader.position;
  reader.skip(tag);
  const text = Buffer.from(reader.buffer.subarray(start, reader.position)).toString('hex');
  return /^0+$/.test(text) ? '' : text;
}
