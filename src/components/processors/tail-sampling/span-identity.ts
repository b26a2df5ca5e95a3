import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';

const SPAN = fieldTags('Span');
const TRACE_ID_BYTES = 16;
const NO_TRACE = '\0'.repeat(TRACE_ID_BYTES);
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** The 16 bytes of the trace id of the encoded span in [start, end), as a text. Undefined without a valid one. */
export function traceIdOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  // Encoders write the trace id first.
  for (const reader = new WireReader(bytes, start, end); !reader.done;) {
    const tag = reader.tag();
    if (tag === SPAN.trace_id) return idIn(reader.bytes());
    reader.skip(tag);
  }
  return undefined;
}

/** A trace id as a text of 16 characters. Undefined if it is not valid. */
export function idIn(bytes: Uint8Array): string | undefined {
  if (bytes.length !== TRACE_ID_BYTES) return undefined;
  const id = Buffer.from(bytes.buffer, bytes.byteOffset, TRACE_ID_BYTES).toString('latin1');
  return id === NO_TRACE ? undefined : id;
}

/** True if the span has no parent in its service: it begins the part of the trace that is known here. */
export function isLocalRoot(bytes: Uint8Array, start: number, end: number): boolean {
  let hasParent = false;
  let flags = 0;
  for (const reader = new WireReader(bytes, start, end); !reader.done;) {
    const tag = reader.tag();
    if (tag === SPAN.parent_span_id) hasParent = reader.bytes().some((byte) => byte !== 0);
    else if (tag === SPAN.flags) flags = reader.fixed32();
    else reader.skip(tag);
  }
  return !hasParent || ((flags & HAS_IS_REMOTE) !== 0 && (flags & IS_REMOTE) !== 0);
}
