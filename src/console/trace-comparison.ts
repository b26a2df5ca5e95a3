/** Two traces next to each other: what each operation took, and which errors each has. */
import type { Trace } from '../engine/stored-telemetry.ts';
import { errorsOf, errorText, failedOf } from './trace-errors.ts';
import { traceTree } from './trace-tree.ts';

export interface TraceComparison {
  readonly first: ComparedTrace;
  readonly second: ComparedTrace;
  /** The largest difference of own time first. */
  readonly operations: readonly ComparedOperation[];
  readonly errors: readonly ComparedError[];
}

export interface ComparedTrace {
  readonly traceId: string;
  readonly service: string;
  /** The name of its first span. */
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly durationMs: number;
  readonly spanCount: number;
  /** The spans that the answer has no room for, and that are not compared. */
  readonly leftSpans: number;
  readonly failedSpans: number;
  readonly errors: number;
}

/** The spans of a service with one name and kind. */
export interface ComparedOperation {
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  /** Absent if the trace does not have the operation. */
  readonly first?: OperationTimes;
  readonly second?: OperationTimes;
  /** The difference of the own times. It is positive if the second trace took longer. */
  readonly differenceMs: number;
}

export interface OperationTimes {
  readonly count: number;
  /** Without the time of the spans below, added over all spans. */
  readonly selfMs: number;
  /** The number of spans with the status error. */
  readonly failed: number;
}

export interface ComparedError {
  readonly text: string;
  /** How often each trace has it. */
  readonly first: number;
  readonly second: number;
}

export function comparedTraces(first: Trace, second: Trace): TraceComparison {
  const [one, other] = [timesOf(first), timesOf(second)];
  const keys = [...new Set([...one.keys(), ...other.keys()])];
  const operations = keys.map((key): ComparedOperation => {
    const [service, kind, name] = JSON.parse(key) as [string, string, string];
    const [before, after] = [one.get(key), other.get(key)];
    return {
      service,
      name,
      kind,
      ...(before && { first: before }),
      ...(after && { second: after }),
      differenceMs: (after?.selfMs ?? 0) - (before?.selfMs ?? 0),
    };
  });
  return {
    first: described(first),
    second: described(second),
    operations: operations.toSorted((a, b) => Math.abs(b.differenceMs) - Math.abs(a.differenceMs)),
    errors: comparedErrors(first, second),
  };
}

function described(trace: Trace): ComparedTrace {
  const { traceId, spans, logs, spanCount } = trace;
  const { rows, durationMs, startTimeUnixNano } = traceTree(trace);
  const top = rows[0]?.span;
  return {
    traceId,
    service: top?.service ?? '',
    name: top?.name ?? '',
    startTimeUnixNano: String(startTimeUnixNano),
    durationMs,
    spanCount,
    leftSpans: spanCount - spans.length,
    failedSpans: failedOf(spans).length,
    errors: errorsOf(spans, logs).length,
  };
}

function timesOf(trace: Trace): ReadonlyMap<string, OperationTimes> {
  const times = new Map<string, OperationTimes>();
  for (const { span, selfMs } of traceTree(trace).rows) {
    const key = JSON.stringify([span.service, span.kind, span.name]);
    const known = times.get(key) ?? { count: 0, selfMs: 0, failed: 0 };
    times.set(key, {
      count: known.count + 1,
      selfMs: known.selfMs + selfMs,
      failed: known.failed + Number(span.status.code === 'error'),
    });
  }
  return times;
}

function comparedErrors(first: Trace, second: Trace): readonly ComparedError[] {
  const [one, other] = [first, second].map(({ spans, logs }) => errorsOf(spans, logs).map(errorText)) as [
    string[],
    string[],
  ];
  return [...new Set([...one, ...other])].map((text) => ({
    text,
    first: count(one, text),
    second: count(other, text),
  }));
}

function count(texts: readonly string[], text: string): number {
  return texts.filter((known) => known === text).length;
}

/** Describes what is remarkable about an operation; empty if nothing is. */
export function remarkOn({ first, second }: Pick<ComparedOperation, 'first' | 'second'>): string {
  const failures = [first?.failed ?? 0, second?.failed ?? 0];
  return [
    ...(first === undefined ? ['only in the second'] : []),
    ...(second === undefined ? ['only in the first'] : []),
    ...(failures.some((failed) => failed > 0) ? [`failed ${failures.join(' → ')}`] : []),
  ].join(', ');
}
