import * as v from 'valibot';
import type { Signal } from '../../../engine/component.ts';
import type { Condition } from './condition.ts';
import { parseCondition } from './parse-condition.ts';
import type { Owner } from './paths.ts';

/** The kinds of things that a condition of a signal may be about, from the outermost to the innermost. */
export const OWNERS = {
  traces: ['resource', 'span', 'spanevent'],
  metrics: ['resource', 'metric', 'datapoint'],
  logs: ['resource', 'log'],
} as const satisfies Readonly<Record<Signal, readonly Owner[]>>;

/** Conditions about things of one kind. Paths without a prefix belong to these things. */
function about(signal: Signal, owner: Owner) {
  return conditions((text) => parseCondition(text, { owners: OWNERS[signal], owner }));
}

/** Conditions whose paths have a prefix. */
function inferred(signal: Signal) {
  return conditions((text) => parseCondition(text, { owners: OWNERS[signal], owner: undefined }));
}

function conditions(parse: (text: string) => Condition) {
  return v.optional(
    v.array(
      v.pipe(
        v.string(),
        v.rawTransform(({ dataset: { value: text }, addIssue, NEVER }) => {
          try {
            return parse(text);
          } catch (error) {
            addIssue({ message: (error as Error).message });
            return NEVER;
          }
        }),
      ),
    ),
    [],
  );
}

export const filterConfig = v.nullish(
  v.strictObject({
    error_mode: v.optional(v.picklist(['ignore', 'silent', 'propagate']), 'ignore'),
    traces: v.optional(
      v.strictObject({
        resource: about('traces', 'resource'),
        span: about('traces', 'span'),
        spanevent: about('traces', 'spanevent'),
      }),
      {},
    ),
    metrics: v.optional(
      v.strictObject({
        resource: about('metrics', 'resource'),
        metric: about('metrics', 'metric'),
        datapoint: about('metrics', 'datapoint'),
      }),
      {},
    ),
    logs: v.optional(v.strictObject({ resource: about('logs', 'resource'), log_record: about('logs', 'log') }), {}),
    trace_conditions: inferred('traces'),
    metric_conditions: inferred('metrics'),
    log_conditions: inferred('logs'),
  }),
  {},
);

export type FilterConfig = v.InferOutput<typeof filterConfig>;

/** All conditions for a signal. */
export function conditionsFor(signal: Signal, config: FilterConfig): readonly Condition[] {
  const { traces, metrics, logs } = config;
  switch (signal) {
    case 'traces':
      return [...traces.resource, ...traces.span, ...traces.spanevent, ...config.trace_conditions];
    case 'metrics':
      return [...metrics.resource, ...metrics.metric, ...metrics.datapoint, ...config.metric_conditions];
    case 'logs':
      return [...logs.resource, ...logs.log_record, ...config.log_conditions];
  }
}
