import type { PartialSuccess, Signal } from '../../../engine/component.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';

/** The name of the count in JSON. In protobuf it is field 1 for every signal. */
const REJECTED_ITEMS: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
};

/** The `Export<Signal>ServiceResponse` to an accepted request. https://opentelemetry.io/docs/specs/otlp/#partial-success */
export function encodeAcceptance(partial: PartialSuccess | undefined): Uint8Array {
  if (partial === undefined) return new Uint8Array(0);
  const writer = new WireWriter(partial.message.length + 32);
  writer.messageField(1, () => {
    writer.varintField(1, partial.rejectedItems);
    writer.stringField(2, partial.message);
  });
  return writer.finish();
}

/** The same in JSON, where a 64-bit integer is a text. */
export function acceptanceJson(signal: Signal, partial: PartialSuccess | undefined): string {
  if (partial === undefined) return '{}';
  const { rejectedItems, message } = partial;
  return JSON.stringify({
    partialSuccess: { [REJECTED_ITEMS[signal]]: String(rejectedItems), errorMessage: message },
  });
}
