import type { Labels } from './data-source.ts';

/** The trace of an exemplar; undefined unless it looks like one of W3C Trace Context. */
export function traceIdOf(labels: Labels): string | undefined {
  const id = labels['trace_id'] ?? '';
  return /^[0-9a-f]{32}$/i.test(id) ? id : undefined;
}

/** In Sentry's trace view, as Grafana's datasource in deploy/grafana links to it. */
export function traceAddress(sentry: string, traceId: string): string {
  return `${sentry.replace(/\/+$/, '')}/explore/traces/trace/${encodeURIComponent(traceId)}/`;
}
