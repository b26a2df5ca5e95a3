/** The views of the console in the pictures of the documentation. */
import type { ComparedTraces, Trace, TraceSummary } from '../../../src/engine/stored-telemetry.ts';
import { VIEWS } from '../../../src/console/page-settings.ts';
import { comparisonAddress } from '../../../src/console/trace-pair.ts';
import { waitFor } from '../wait-for.ts';
import { LOOKS, type Look } from './all-pictures.ts';

export interface ConsoleView {
  readonly name: string;
  readonly title: string;
  /** The address within the console, as soon as the console has its data. */
  readonly address: (url: string) => Promise<string>;
  /** An element that exists when the view is drawn. */
  readonly drawn: string;
}

export const CONSOLE_VIEWS: readonly ConsoleView[] = [
  {
    name: 'dashboard',
    title: 'a dashboard',
    address: fixed('/d/siphon-pipeline?from=now-5m&to=now'),
    drawn: '.panel[data-state=data]',
  },
  { name: 'traces', title: 'Traces', address: fixed('/traces?min_duration=20ms'), drawn: 'tbody tr' },
  { name: 'trace', title: 'a trace', address: failedTrace, drawn: '[role=treeitem]' },
  { name: 'blocked', title: 'a trace that waited for another', address: blockedTrace, drawn: '[role=treeitem]' },
  { name: 'comparison', title: 'two traces', address: twoTraces, drawn: 'tbody tr' },
  { name: 'changes', title: 'Changes', address: changedTime, drawn: 'tbody tr' },
  { name: 'errors', title: 'Errors', address: fixed('/errors'), drawn: '.group' },
  { name: 'logs', title: 'Logs', address: fixed('/logs'), drawn: '.log article' },
  { name: 'database', title: 'Database', address: fixed('/database'), drawn: '.numbers-table' },
  { name: 'alerts', title: 'Alerts', address: fixed('/alerts'), drawn: '.group' },
  { name: 'pipelines', title: 'Pipelines', address: fixed('/pipelines'), drawn: '.pipeline' },
];

export interface ConsolePicture {
  readonly view: ConsoleView;
  readonly look: Look;
  /** The file without its extension. */
  readonly name: string;
}

export const consolePictures: readonly ConsolePicture[] = CONSOLE_VIEWS.flatMap((view) =>
  (Object.keys(LOOKS) as Look[]).map((look) => ({ view, look, name: `console-${view.name}-${look}` })),
);

/** Views of the page that have no picture. */
export const unpicturedViews: readonly string[] = VIEWS.filter((view) =>
  CONSOLE_VIEWS.every(({ name }) => name !== view),
);

function fixed(address: string): ConsoleView['address'] {
  return async () => await Promise.resolve(address);
}

async function failedTrace(url: string): Promise<string> {
  const [found] = await tracesOf(url, 'status=error&min_duration=100ms');
  return `/traces/${found!.traceId}`;
}

async function blockedTrace(url: string): Promise<string> {
  for (const { traceId } of await tracesOf(url, 'min_duration=1s&limit=200')) {
    const { lockWaits } = await ask<Trace>(url, `/api/traces/${traceId}`);
    const [wait] = lockWaits;
    if (wait?.blocker.transaction !== undefined) return `/traces/${traceId}?span=${wait.spanId}`;
  }
  throw new Error('no trace waited for another one');
}

/** The fastest and the slowest one of the operation with most traces. */
async function twoTraces(url: string): Promise<string> {
  const groups = Object.values(Object.groupBy(await tracesOf(url, 'limit=500'), ({ name }) => name));
  const [group = []] = groups.toSorted((a, b) => b!.length - a!.length);
  const sorted = group.toSorted((a, b) => a.durationMs - b.durationMs);
  return comparisonAddress(sorted[0]!.traceId, sorted.at(-1)!.traceId);
}

async function changedTime(url: string): Promise<string> {
  const address = 'status=error';
  await waitFor(async () => (await ask<ComparedTraces>(url, `/api/compare?${address}`)).differences.length > 0, {
    what: 'a difference',
    timeoutMs: 120_000,
  });
  return `/changes?${address}`;
}

async function tracesOf(url: string, query: string): Promise<readonly TraceSummary[]> {
  const { traces } = await ask<{ readonly traces: readonly TraceSummary[] }>(url, `/api/traces?${query}`);
  if (traces.length === 0) throw new Error(`no trace has ${query}`);
  return traces;
}

async function ask<T>(url: string, path: string): Promise<T> {
  const answer = await fetch(url + path);
  return (await answer.json()) as T;
}
