/** The framing of Sentry envelopes: a header line, then items of a header line and a payload each. https://develop.sentry.dev/sdk/data-model/envelopes/ */

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Envelope {
  readonly header: JsonObject;
  readonly items: readonly EnvelopeItem[];
}

export interface EnvelopeItem {
  readonly header: JsonObject;
  readonly payload: Buffer;
}

const NEWLINE = 10;

/** @throws Error with the problem of the framing. */
export function parseEnvelope(bytes: Buffer): Envelope {
  let { line, next } = readLine(bytes, 0);
  const header = parseObject(line, 'envelope header');
  const items: EnvelopeItem[] = [];
  while (next < bytes.length) {
    ({ line, next } = readLine(bytes, next));
    const itemHeader = parseObject(line, 'item header');
    const payload = readPayload(bytes, next, itemHeader['length']);
    items.push({ header: itemHeader, payload: payload.line });
    next = payload.next;
  }
  return { header, items };
}

/** @throws Error with `what` if the text is not a JSON object. */
export function parseObject(text: Buffer, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw new Error(`${what} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  return value as JsonObject;
}

interface Piece {
  readonly line: Buffer;
  readonly next: number;
}

function readLine(bytes: Buffer, start: number): Piece {
  const found = bytes.indexOf(NEWLINE, start);
  const end = found === -1 ? bytes.length : found;
  return { line: bytes.subarray(start, end), next: end + 1 };
}

function readPayload(bytes: Buffer, start: number, length: unknown): Piece {
  if (length === undefined) return readLine(bytes, start);
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0)
    throw new Error('item length is not a whole number');
  const end = start + length;
  if (end > bytes.length) throw new Error(`item length ${length} reaches beyond the envelope`);
  if (end < bytes.length && bytes[end] !== NEWLINE)
    throw new Error(`item length ${length} is not followed by a newline`);
  return { line: bytes.subarray(start, end), next: end + 1 };
}
