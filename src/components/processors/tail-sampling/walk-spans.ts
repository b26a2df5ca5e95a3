import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import type { HeldRequest, HeldScope, Places } from './held-spans.ts';

const REQUEST = fieldTags('ExportTraceServiceRequest');
const RESOURCE_SPANS = fieldTags('ResourceSpans');
const SCOPE_SPANS = fieldTags('ScopeSpans');
const STEP_SPANS = 128;

/** Gets the span in [start, end) of the scope's request. */
export type OnSpan = (scope: HeldScope, start: number, end: number) => void;

/** Calls `onSpan` for each span of a request. Yields where other work may run. */
export function* walkSpans(request: HeldRequest, onSpan: OnSpan): Generator<undefined, undefined> {
  let spans = 0;
  for (const reader = new WireReader(request.bytes); !reader.done;) {
    const tag = reader.tag();
    if (tag === REQUEST.resource_spans) yield* resourceSpans(reader.message());
    else reader.skip(tag);
    yield;
  }

  function* resourceSpans(reader: WireReader): Generator<undefined, undefined> {
    const resource = { request, fields: fieldsBesides(RESOURCE_SPANS.scope_spans, reader) };
    while (!reader.done) {
      const tag = reader.tag();
      if (tag !== RESOURCE_SPANS.scope_spans) {
        reader.skip(tag);
        continue;
      }
      const scoped = reader.message();
      yield* scopeSpans(scoped, { resource, fields: fieldsBesides(SCOPE_SPANS.spans, scoped) });
    }
  }

  function* scopeSpans(reader: WireReader, scope: HeldScope): Generator<undefined, undefined> {
    while (!reader.done) {
      const tag = reader.tag();
      if (tag !== SCOPE_SPANS.spans) {
        reader.skip(tag);
        continue;
      }
      const length = reader.varint();
      const start = reader.position;
      reader.position += length;
      onSpan(scope, start, reader.position);
      if (++spans % STEP_SPANS === 0) yield;
    }
  }
}

/** The fields of a message except those with this tag; protobuf allows them behind it. Leaves the reader where it was. */
function fieldsBesides(others: number, reader: WireReader): Places {
  const { position } = reader;
  const places: number[] = [];
  while (!reader.done) {
    const start = reader.position;
    const tag = reader.tag();
    reader.skip(tag);
    if (tag !== others) places.push(start, reader.position);
  }
  reader.position = position;
  return places;
}
