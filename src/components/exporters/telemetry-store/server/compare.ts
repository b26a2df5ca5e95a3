import type { JsonObject } from '../../../../engine/otlp/json-values.ts';
import type { QueryAnswer } from '../../../../engine/query-apis.ts';
import type { ComparedProperty } from '../../../../engine/stored-telemetry.ts';
import { compareTraces } from '../compare/compare-traces.ts';
import type { Operation, SpanChoice } from '../compare/trace-groups.ts';
import { spanAt } from '../memory/record.ts';
import { metricNamed, withSpans } from '../queries/find-exemplars.ts';
import { serviceOf } from '../queries/criteria.ts';
import { unknownName } from '../queries/known-names.ts';
import { boundedArray, newBudget } from './json.ts';
import { BadQuery, type Parameters } from './parameters.ts';
import type { Stored } from './stored.ts';
import { jsonText } from '../../../../engine/json-text.ts';

export const COMPARE_PARAMETERS = [
  'service',
  'operation',
  'attribute',
  'metric',
  'since',
  'until',
  'between',
  'spans',
  'status',
  'min_duration',
];

const STATUSES = ['unset', 'ok', 'error'] as const;

/** `/api/compare`: what the spans of a time, or slow or failed spans, have that the spans around them do not have. */
export function* compare(given: Parameters, stored: Stored): Generator<undefined, QueryAnswer> {
  const between = given.period('between');
  const which = spanChoice(given);
  if (between === undefined && which.kind !== 'fitting') {
    throw new BadQuery('between, status or min_duration is required: it selects the spans');
  }
  const metric = given.text('metric');
  const operations = metric === undefined ? undefined : yield* operationsOf(metric, stored);
  const names = {
    service: given.text('service'),
    operation: given.text('operation'),
    attributes: given.attributes('attribute'),
  };
  const comparison = yield* compareTraces(stored.memory.segments, {
    ...names,
    sinceMs: given.timeMs('since'),
    untilMs: given.timeMs('until'),
    operations,
    between,
    which,
  });
  const { differences, hint: shortage, ...counts } = comparison;
  const isEmpty = counts.selectedTraces + counts.aroundTraces === 0;
  const hint = (isEmpty ? yield* unknownName(stored.memory, names) : undefined) ?? shortage;
  const { text, left: cut } = boundedArray(differences.slice(0, MAX_DIFFERENCES), toJson, newBudget());
  const left = cut + Math.max(0, differences.length - MAX_DIFFERENCES);
  const others = jsonText({ ...counts, left, ...(hint !== undefined && { hint }) });
  return { status: 200, body: `${others.slice(0, -1)},"differences":${text}}` };
}

/** A reader takes in the first ones only. */
const MAX_DIFFERENCES = 100;

function spanChoice(given: Parameters): SpanChoice {
  const kind = given.choice('spans', ['slow', 'all']);
  const status = given.choice('status', STATUSES);
  const minDurationMs = given.durationMs('min_duration');
  if (status === undefined && minDurationMs === undefined) return { kind: kind ?? 'slow' };
  if (kind !== undefined) throw new BadQuery('spans cannot be combined with status and min_duration');
  return { kind: 'fitting', status, minDurationMs };
}

/** The operations whose spans the exemplars of a metric refer to. */
function* operationsOf(written: string, { memory, exemplars }: Stored): Generator<undefined, readonly Operation[]> {
  const metric = metricNamed(exemplars, written);
  const found = metric === undefined ? undefined : exemplars.of(metric);
  const spans = found === undefined ? [] : yield* withSpans(memory, found.exemplars);
  const operations = spans.flatMap(({ span }): readonly Operation[] => {
    if (span === undefined) return [];
    const { segment, row } = span;
    const service = serviceOf(segment, segment.spans.cells.resource[row] as number);
    return [{ service, name: spanAt(segment, row).name }];
  });
  if (operations.length === 0) {
    throw new BadQuery(`the store has no span that an exemplar of ${written.slice(0, 200)} refers to`);
  }
  return operations;
}

function toJson(property: ComparedProperty): JsonObject {
  return { ...property, selected: { ...property.selected }, around: { ...property.around } };
}
