import type { LogRecord, Span, Trace } from '../engine/stored-telemetry.ts';

/** A trace as rows: each span below its parent, children by their begin. */
export interface TraceTree {
  readonly rows: readonly TraceRow[];
  /** Log records that belong to none of the spans. */
  readonly logs: readonly LogRecord[];
  readonly startTimeUnixNano: bigint;
  readonly durationMs: number;
}

export interface TraceRow {
  readonly span: Span;
  readonly depth: number;
  /** Since the begin of the trace. */
  readonly offsetMs: number;
  /** The part of its duration that is not covered by its children. */
  readonly selfMs: number;
  /** True if the trace would be shorter without it. */
  readonly isCritical: boolean;
  /** True if its parent is not in the store. */
  readonly isOrphan: boolean;
  readonly childCount: number;
  readonly logs: readonly LogRecord[];
}

export function traceTree({ spans, logs }: Pick<Trace, 'spans' | 'logs'>): TraceTree {
  const start = BigInt(spans[0]?.startTimeUnixNano ?? logs[0]?.timeUnixNano ?? 0);
  const nodes = new Map<string, Node>();
  for (const span of spans) nodes.set(span.spanId, nodeOf(span, start));
  const tops = linked(nodes);
  for (const log of logs) nodes.get(log.spanId ?? '')?.logs.push(log);
  const order = ordered(tops, nodes);
  const critical = criticalPath(tops);
  const endMs = Math.max(0, ...order.map(endOf));
  return {
    rows: order.map((node) => ({
      span: node.span,
      depth: node.depth,
      offsetMs: node.offsetMs,
      selfMs: selfMsOf(node),
      isCritical: critical.has(node),
      isOrphan: node.parent === undefined && node.span.parentSpanId !== undefined,
      childCount: node.children.length,
      logs: node.logs,
    })),
    logs: logs.filter(({ spanId = '' }) => !nodes.has(spanId)),
    startTimeUnixNano: start,
    durationMs: endMs,
  };
}

interface Node {
  readonly span: Span;
  readonly offsetMs: number;
  readonly children: Node[];
  readonly logs: LogRecord[];
  parent: Node | undefined;
  depth: number;
}

function nodeOf(span: Span, start: bigint): Node {
  const offsetMs = Number(BigInt(span.startTimeUnixNano) - start) / 1e6;
  return { span, offsetMs, children: [], logs: [], parent: undefined, depth: 0 };
}

/** Connects children with their parents. @returns those without a parent in the store. */
function linked(nodes: ReadonlyMap<string, Node>): Node[] {
  const tops: Node[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parentSpanId ?? '');
    if (parent === undefined || parent === node) tops.push(node);
    else {
      node.parent = parent;
      parent.children.push(node);
    }
  }
  return tops;
}

/** Depth first. The spans of a circle of parents have no root: the first of them becomes it. */
function ordered(tops: Node[], nodes: ReadonlyMap<string, Node>): readonly Node[] {
  const seen = new Set<Node>();
  const visit = (top: Node): void => {
    const next = [top];
    for (let node = next.pop(); node !== undefined; node = next.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      node.depth = node === top ? 0 : (node.parent?.depth ?? -1) + 1;
      next.push(...node.children.toSorted(byBegin).toReversed());
    }
  };
  for (const top of tops.toSorted(byBegin)) visit(top);
  for (const node of nodes.values()) {
    if (seen.has(node)) continue;
    tops.push(node);
    visit(node);
  }
  return [...seen];
}

function byBegin(a: Node, b: Node): number {
  return a.offsetMs - b.offsetMs;
}

function endOf({ offsetMs, span }: Node): number {
  return offsetMs + Math.max(0, span.durationMs);
}

/** The children may overlap, and end after their parent. */
function selfMsOf(node: Node): number {
  let [coveredMs, untilMs] = [0, node.offsetMs];
  const end = endOf(node);
  for (const child of node.children.toSorted(byBegin)) {
    const from = Math.max(child.offsetMs, untilMs);
    const to = Math.min(endOf(child), end);
    if (to <= from) continue;
    coveredMs += to - from;
    untilMs = to;
  }
  return Math.max(0, node.span.durationMs - coveredMs);
}

/**
 * From the end of the longest top backwards: the child that ended last before the current moment decided when the parent
 * could go on.
 */
function criticalPath(tops: readonly Node[]): ReadonlySet<Node> {
  const path = new Set<Node>();
  const last = tops.toSorted((a, b) => endOf(b) - endOf(a))[0];
  const next = last === undefined ? [] : [last];
  for (let node = next.pop(); node !== undefined; node = next.pop()) {
    if (path.has(node)) continue;
    path.add(node);
    let atMs = endOf(node);
    for (const child of node.children.toSorted((a, b) => endOf(b) - endOf(a))) {
      if (endOf(child) > atMs) continue;
      next.push(child);
      atMs = child.offsetMs;
    }
  }
  return path;
}
