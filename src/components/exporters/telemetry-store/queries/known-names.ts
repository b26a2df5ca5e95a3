import { suggest } from '../../../../engine/config/nearest-name.ts';
import { pairOf } from '../memory/record.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';
import { serviceOf, type Criteria } from './criteria.ts';

const MAX_NAMES = 1000;

/**
 * Why nothing may have been found: a name that the store does not know, and the nearest one. Undefined if it knows all names.
 */
export function* unknownName(
  memory: TelemetryMemory,
  { service, attributes, operation }: Criteria & { readonly operation?: string | undefined },
): Generator<undefined, string | undefined> {
  const checks: readonly (readonly [what: string, written: string | undefined, known: () => Iterable<string>])[] = [
    ['service', service, () => services(memory)],
    ['operation', operation, () => operations(memory)],
    ...attributes.map(({ key }) => ['attribute', key, () => attributeNames(memory)] as const),
  ];
  for (const [what, written, known] of checks) {
    if (written === undefined || written.includes('*')) continue;
    const names = new Set<string>();
    for (const name of known()) {
      if (names.size < MAX_NAMES) names.add(name);
      yield;
    }
    if (!names.has(written)) return `the store has no ${what} ${written}${suggest(written, [...names])}`;
  }
  return undefined;
}

function* services(memory: TelemetryMemory): Generator<string> {
  for (const segment of memory.segments) {
    const resources = used(segment.spans.cells.resource, segment.spans.count);
    for (const resource of used(segment.logs.cells.resource, segment.logs.count)) resources.add(resource);
    for (const resource of resources) yield serviceOf(segment, resource);
  }
}

function* operations(memory: TelemetryMemory): Generator<string> {
  for (const { spans, texts } of memory.segments) {
    for (const name of used(spans.cells.name, spans.count)) yield texts.textOf(name);
  }
}

function* attributeNames(memory: TelemetryMemory): Generator<string> {
  for (const segment of memory.segments) {
    for (let pair = 0; pair < segment.pairs.count; pair++) yield pairOf(segment, pair)[0];
  }
}

function used(
  column: ArrayLike<number> & { subarray(begin: number, end: number): Iterable<number> },
  count: number,
): Set<number> {
  return new Set(column.subarray(0, count));
}
