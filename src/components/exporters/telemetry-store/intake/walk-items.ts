import { fieldTags } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { viewOf } from '../../../../engine/columns/hash-bytes.ts';
import { newResource, Origin, readResource, readScope } from './origin.ts';
import type { PairList } from './pair-list.ts';

/** The messages of traces and logs differ in their names only. */
const REQUEST = fieldTags('ExportTraceServiceRequest');
const RESOURCE_ITEMS = fieldTags('ResourceSpans');
const SCOPE_ITEMS = fieldTags('ScopeSpans');

/** Items between two moments in which other work may run. */
const ITEMS_A_STEP = 32;

/** Reads the item between the position of the reader and `end`. */
export type ReadItem = (
  reader: WireReader,
  end: number,
  place: { readonly view: DataView; readonly origin: Origin },
) => void;

/** Calls `readItem` for each span or log record of a request. Yields where other work may run. */
export function* walkItems(chunk: Uint8Array, pairs: PairList, readItem: ReadItem): Generator<undefined> {
  const view = viewOf(chunk);
  let items = 0;
  for (const request = new WireReader(chunk); !request.done;) {
    const tag = request.tag();
    if (tag === REQUEST.resource_spans) yield* resourceItems(request.message());
    else request.skip(tag);
    yield;
  }

  function* resourceItems(reader: WireReader): Generator<undefined> {
    const { position } = reader;
    // Protobuf allows the resource to come after its items.
    const resource = newResource();
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === RESOURCE_ITEMS.resource) readResource(reader.message(), resource);
      else reader.skip(tag);
    }
    reader.position = position;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag !== RESOURCE_ITEMS.scope_spans) reader.skip(tag);
      else {
        const scoped = reader.message();
        const origin = new Origin(pairs, { view, resource, scope: scopeIn(scoped) });
        yield* scopeItems(scoped, { view, origin });
      }
    }
  }

  function* scopeItems(reader: WireReader, place: Parameters<ReadItem>[2]): Generator<undefined> {
    while (!reader.done) {
      const tag = reader.tag();
      if (tag !== SCOPE_ITEMS.spans) {
        reader.skip(tag);
        continue;
      }
      const length = reader.varint();
      const end = reader.position + length;
      readItem(reader, end, place);
      reader.position = end;
      if (++items % ITEMS_A_STEP === 0) yield;
    }
  }
}

/** The scope, which may come after its items. Leaves the reader where it was. */
function scopeIn(reader: WireReader): ReturnType<typeof readScope> {
  const { position } = reader;
  let scope = { name: '', version: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag !== SCOPE_ITEMS.scope) reader.skip(tag);
    else {
      scope = readScope(reader.message());
      break;
    }
  }
  reader.position = position;
  return scope;
}
