/** The routes and inhibitions of deploy/alertmanager/alertmanager.yml, for messages without an Alertmanager. Times are milliseconds. */
import type { Labels } from '../../../../promql/labels.ts';

/** How the alerts of a route become messages. */
export interface Route {
  /** How long a new message waits for other alerts of its group. */
  readonly waitMs: number;
  readonly repeatMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How often a group of alerts may have a message about a change. */
export const GROUP_INTERVAL_MS = 5 * MINUTE_MS;

/** The alerts of one message have the same values of these labels. */
export const GROUP_LABELS = ['alertname', 'severity'] as const;

const TICKET: Route = { waitMs: 30_000, repeatMs: 24 * HOUR_MS };

/** The value of the label `level` chooses one. */
const ROUTES: Readonly<Record<string, Route>> = {
  ticket: TICKET,
  page: { waitMs: 10_000, repeatMs: 2 * HOUR_MS },
  info: { waitMs: 30_000, repeatMs: 7 * 24 * HOUR_MS },
};

/** Undefined for the alert that always fires: only who misses it needs to know. */
export function routeOf(labels: Labels): Route | undefined {
  if (labels.get('alertname') === 'Watchdog') return undefined;
  const level = labels.get('level') ?? '';
  return Object.hasOwn(ROUTES, level) ? ROUTES[level] : TICKET;
}

export interface Inhibition {
  readonly source: Condition;
  readonly target: Condition;
  /** An alert that fires holds back those with the same values of these labels. */
  readonly equal: readonly string[];
}

interface Condition {
  readonly label: string;
  readonly values: readonly string[];
}

const alert = (...values: readonly string[]): Condition => ({ label: 'alertname', values });
const severity = (value: string): Condition => ({ label: 'severity', values: [value] });

export const INHIBITIONS: readonly Inhibition[] = [
  {
    source: severity('critical'),
    target: severity('warning'),
    equal: [
      'alertname',
      'roaster',
      'cadence',
      'source',
      'standby',
      'subscription',
      'service',
      'job',
      'http_route',
      'instance',
      'receiver',
      'query',
      'table',
      'slot',
      'sequence',
      'exporter',
      'processor',
      'data_type',
      'otel_signal',
    ],
  },
  {
    source: alert('FetchErrors'),
    target: alert('ArtifactErrors', 'CatalogueShrunk', 'RunFailed', 'RunIncomplete'),
    equal: ['roaster'],
  },
  { source: alert('PriceRunsStopped'), target: alert('PriceRunOverdue'), equal: [] },
  { source: alert('IdleInTransaction', 'LongTransaction'), target: alert('PollerLagging'), equal: [] },
  {
    source: alert('IdleInTransaction', 'LongTransaction'),
    target: alert('LocksWaiting', 'XminAgeHigh'),
    equal: ['instance'],
  },
  { source: alert('IdleInTransaction'), target: alert('LongTransaction'), equal: ['instance'] },
  { source: alert('DatabaseDown'), target: alert('PollerFailing', 'PollerWithoutLeader'), equal: ['receiver'] },
];

/** True if one of these alerts, which fire, holds back another. An alert that is a source and a target holds nothing back. */
export function isHeldBack(labels: Labels, firing: readonly Labels[]): boolean {
  return INHIBITIONS.some(({ source, target, equal }) => {
    if (!fits(labels, target)) return false;
    const isBoth = fits(labels, source);
    return firing.some(
      (other) =>
        fits(other, source) &&
        !(isBoth && fits(other, target)) &&
        equal.every((label) => (other.get(label) ?? '') === (labels.get(label) ?? '')),
    );
  });
}

function fits(labels: Labels, { label, values }: Condition): boolean {
  return values.includes(labels.get(label) ?? '');
}
