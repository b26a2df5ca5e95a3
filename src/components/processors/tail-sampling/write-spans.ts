import type { TelemetryBatch } from '../../../engine/component.ts';
import { fieldNumbers } from '../../../engine/otlp/schema.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import type { HeldResource, HeldScope, HeldSpans, Places } from './held-spans.ts';

const REQUEST = fieldNumbers('ExportTraceServiceRequest');
const RESOURCE_SPANS = fieldNumbers('ResourceSpans');
const SCOPE_SPANS = fieldNumbers('ScopeSpans');

/** One batch with these spans. Spans of one scope, also of different traces, are together as they arrived. */
export function writeSpans(spans: HeldSpans, rows: readonly number[]): TelemetryBatch {
  const writer = new WireWriter(64 * 1024);
  for (const [resource, scopes] of byResource(spans, rows)) {
    const resourceStart = writer.openField(REQUEST.resource_spans);
    appendPlaces(writer, resource.request.bytes, resource.fields);
    for (const [scope, ofScope] of scopes) {
      const scopeStart = writer.openField(RESOURCE_SPANS.scope_spans);
      appendPlaces(writer, resource.request.bytes, scope.fields);
      for (const row of ofScope) {
        writer.sliceField(SCOPE_SPANS.spans, resource.request.bytes, spans.startOf(row), spans.endOf(row));
      }
      writer.closeField(scopeStart);
    }
    writer.closeField(resourceStart);
  }
  const chunk = writer.detach();
  return { signal: 'traces', chunks: [chunk], itemCount: rows.length, sizeBytes: chunk.length };
}

function byResource(
  spans: HeldSpans,
  rows: readonly number[],
): ReadonlyMap<HeldResource, ReadonlyMap<HeldScope, readonly number[]>> {
  const resources = new Map<HeldResource, Map<HeldScope, number[]>>();
  for (const row of rows) {
    const scope = spans.scopeOf(row);
    let scopes = resources.get(scope.resource);
    if (scopes === undefined) resources.set(scope.resource, (scopes = new Map()));
    const ofScope = scopes.get(scope);
    if (ofScope === undefined) scopes.set(scope, [row]);
    else ofScope.push(row);
  }
  return resources;
}

function appendPlaces(writer: WireWriter, bytes: Uint8Array, places: Places): void {
  for (let i = 0; i < places.length; i += 2) {
    writer.appendSlice(bytes, places[i] as number, places[i + 1] as number);
  }
}
