import type { Labels } from './data-source.ts';
import type { PageSettings } from './page-settings.ts';

/** The trace of an exemplar; undefined unless it looks like one of W3C Trace Context. */
export function traceIdOf(labels: Labels): string | undefined {
  const id = labels['trace_id'] ?? '';
  return /^[0-9a-f]{32}$/i.test(id) ? id : undefined;
}

/** Where a page leads for a trace. */
export interface TraceLink {
  readonly text: string;
  readonly href: string;
  /** True for another site. */
  readonly isOutside: boolean;
}

/** The page's own traces come first. Undefined if nothing shows traces. */
export function traceLink(traceId: string, { sentry, views }: TraceViewers): TraceLink | undefined {
  if (views.includes('traces')) {
    return { text: 'Show the trace', href: `/traces/${encodeURIComponent(traceId)}`, isOutside: false };
  }
  if (sentry === undefined) return undefined;
  return { text: 'Trace in Sentry', href: traceAddress(sentry, traceId), isOutside: true };
}

type TraceViewers = Pick<PageSettings, 'sentry' | 'views'>;

/** In Sentry's trace view, as Grafana's datasource in deploy/grafana links to it. */
export function traceAddress(sentry: string, traceId: string): string {
  return `${sentry.replace(/\/+$/, '')}/explore/traces/trace/${encodeURIComponent(traceId)}/`;
}
