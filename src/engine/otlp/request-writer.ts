import { writeKeyValue } from './any-value.ts';
import { WireWriter } from './wire-writer.ts';

export type Attributes = Readonly<Record<string, string>>;

/** Where telemetry comes from. */
export interface Origin {
  /** Resource attributes. */
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
}

/**
 * The bytes of an export request with one resource and one scope, which requests of every signal have alike.
 *
 * @param writeItem writes the body of one metric, log record or span.
 */
export function encodeRequest<Item>(
  { resource, scope }: Origin,
  items: readonly Item[],
  writeItem: (writer: WireWriter, item: Item) => void,
): Uint8Array {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(1, () => writeAttributes(writer, 1, resource));
    writer.messageField(2, () => {
      writer.messageField(1, () => {
        writer.stringField(1, scope.name);
        writer.stringField(2, scope.version);
      });
      for (const item of items) writer.messageField(2, () => writeItem(writer, item));
    });
  });
  return writer.finish();
}

export function writeAttributes(writer: WireWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) writeKeyValue(writer, field, key, value);
}

export function nanoseconds(unixMs: number): bigint {
  return BigInt(Math.round(unixMs)) * 1_000_000n;
}
