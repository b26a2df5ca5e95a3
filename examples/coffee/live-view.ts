/** Formats the status of a running demo as lines of fewer than 80 characters. Unknown values are shown as `?`. */
import { faults, keyOf, type Fault } from './fault.ts';
import type { Tally } from './run-log.ts';
import type { ScrapePage } from './scrape-page.ts';

export interface Snapshot {
  readonly elapsedS: number;
  readonly ports: { readonly console: number; readonly scrape: number; readonly telemetry: number };
  readonly prometheusFile: string;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Undefined while the scrape endpoint does not answer. */
  readonly page: ScrapePage | undefined;
  readonly scrapeMs: number;
  /** The sidecar's self-metrics. */
  readonly self: ScrapePage | undefined;
  readonly transactions: number;
  readonly errors: number;
  readonly lastError: { readonly message: string; readonly traceId: string | undefined } | undefined;
  readonly faults: ReadonlySet<Fault>;
  /** The result of the last fault switch. */
  readonly note: string;
}

const faultColumns = 3;
const faultWidth = 23;

export function liveView(now: Snapshot): string[] {
  const { lastError } = now;
  return [
    `${'siphon demo: a coffee price scraper and its sidecar'.padEnd(73)}${time(now)}`,
    `console   http://127.0.0.1:${now.ports.console}/`,
    `curl http://127.0.0.1:${now.ports.scrape}/metrics   self-metrics: port ${now.ports.telemetry}`,
    `prometheus --config.file=${now.prometheusFile}`,
    '',
    shopLine(['shop', 'runs ok', 'partial', 'fail', 'price changes', 'review', 'artifacts by status']),
    ...[...now.tallies].map(([source, tally]) => shopLine(shopCells(now, source, tally))),
    '',
    `sidecar   ${sidecar(now)}`,
    `sink      ${now.transactions} transactions, ${now.errors} errors received`,
    `error     ${lastError?.message ?? 'none'}`,
    ...(lastError === undefined ? [] : [`          trace ${lastError.traceId ?? '?'}`]),
    ...faultLines(now.faults),
    now.note,
  ].map((line) => line.slice(0, 79));
}

/** The same as one line, for a file or a pipe. */
export function plainLine(now: Snapshot): string {
  const shops = [...now.tallies].map(
    ([source, { ok, partial, fail }]) => `${source} ${ok} ok ${partial} partial ${fail} fail`,
  );
  const active = now.faults.size === 0 ? 'no fault' : [...now.faults].join(' ');
  const sink = `${now.transactions} transactions ${now.errors} errors`;
  return [time(now).trim(), ...shops, sidecar(now), sink, active].join(' | ');
}

function shopCells({ page }: Snapshot, source: string, { ok, partial, fail }: Tally): string[] {
  const changes = page?.sum('price_changes_total', { roaster: source });
  const review = page?.sum('review_rate_percent', { roaster: source });
  const artifacts = [...(page?.sumBy('status', 'artifacts_total', { source }) ?? [])];
  const share = review === undefined ? '?' : `${review.toFixed(1)} %`;
  const statuses = artifacts.map(([status, sum]) => `${status}: ${sum}`).join(', ');
  return [source, String(ok), String(partial), String(fail), count(changes), share, statuses];
}

function shopLine(cells: readonly string[]): string {
  const [shop = '', ok = '', partial = '', fail = '', changes = '', review = '', artifacts = ''] = cells;
  const numbers = `${ok.padStart(8)}${partial.padStart(9)}${fail.padStart(6)}${changes.padStart(15)}${review.padStart(8)}`;
  return `${shop.padEnd(12)}${numbers}  ${artifacts}`;
}

function sidecar({ page, self, scrapeMs }: Snapshot): string {
  if (page === undefined || self === undefined) return 'not reachable';
  const points = count(self.sum('otelcol_receiver_accepted_metric_points'));
  const spans = count(self.sum('otelcol_receiver_accepted_spans'));
  const memory = count(self.sum('otelcol_process_memory_rss'), 2 ** 20);
  return `${points} points, ${spans} spans, scrape ${scrapeMs.toFixed(1)} ms, memory ${memory} MiB`;
}

function faultLines(active: ReadonlySet<Fault>): string[] {
  const cells = faults.map((fault) => `${active.has(fault) ? '*' : ' '}${keyOf(fault)} ${fault}`.padEnd(faultWidth));
  const rows = Math.ceil(cells.length / faultColumns);
  return Array.from({ length: rows }, (_, row) => {
    const line = cells.slice(row * faultColumns, (row + 1) * faultColumns).join('');
    return (row === 0 ? 'faults' : '').padEnd(9) + line.trimEnd();
  });
}

function count(value: number | undefined, unit = 1): string {
  return value === undefined ? '?' : Math.round(value / unit).toLocaleString('en');
}

function time({ elapsedS }: Snapshot): string {
  const seconds = Math.floor(elapsedS);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`.padStart(6);
}
