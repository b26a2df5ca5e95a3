import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';

export interface Gauges {
  readonly job?: string;
  readonly names: readonly string[];
  /** One point of each gauge for each value of the label `a`. */
  readonly values?: readonly string[];
}

/** A request of gauges as bytes: JSON would be too slow for many. */
export function gaugesRequest({ job = 'shop', names, values = [''] }: Gauges): Uint8Array {
  const writer = new WireWriter();
  const attribute = (field: number, key: string, value: string): void =>
    writer.messageField(field, () => {
      writer.stringField(1, key);
      writer.messageField(2, () => writer.stringField(1, value));
    });
  writer.messageField(1, () => {
    writer.messageField(1, () => attribute(1, 'service.name', job));
    writer.messageField(2, () => {
      for (const name of names) {
        writer.messageField(2, () => {
          writer.stringField(1, name);
          writer.messageField(5, () => {
            for (const value of values) {
              writer.messageField(1, () => {
                attribute(7, 'a', value);
                writer.doubleField(4, 1);
              });
            }
          });
        });
      }
    });
  });
  return writer.finish();
}
