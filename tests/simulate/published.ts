import { setTimeout as sleep } from 'node:timers/promises';
import { parseOpenMetrics, type TextFamily } from '../support/prometheus/prometheus-text.ts';
import { bound, seriesKey, type Counts } from './ledger.ts';

const LOOK_EVERY_MS = 200;

/** The metrics that `scrape_pipeline` counts from the rows of the database. */
const OF_PACK: ReadonlySet<string> = new Set([
  'scrape_runs_started',
  'scrape_runs_finished',
  'scrape_run_duration_seconds',
  'scrape_artifacts_recorded',
  'scrape_artifact_body_bytes',
  'prices_recorded',
  'price_deltas',
  'price_change_ratio',
  'coffees_created',
  'variants_created',
]);

export interface Page {
  readonly counts: Counts;
  /** When each series began to count, in Unix seconds. */
  readonly created: Counts;
}

/** The exact counters and histograms of a scrape page; one that hangs or fails is an error. */
export async function readPage(port: number, counted = OF_PACK): Promise<Page> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { accept: 'application/openmetrics-text; version=1.0.0' },
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`the page was answered with ${response.status}`);
  const families = parseOpenMetrics(await response.text()).filter(({ name }) => counted.has(name));
  return { counts: samples(families, false), created: samples(families, true) };
}

function samples(families: readonly TextFamily[], isCreated: boolean): Counts {
  const found = new Map<string, number>();
  for (const { name, labels, value } of families.flatMap((family) => family.samples)) {
    if (name.endsWith('_created') !== isCreated) continue;
    const own = Object.entries(labels)
      .filter(([label]) => !/^(job|instance|otel_scope_.*)$/.test(label))
      .map(([label, text]) => [label, label === 'le' ? bound(Number(text.replace('+Inf', 'Infinity'))) : text]);
    found.set(seriesKey(name.replace(/_created$/, ''), Object.fromEntries(own)), value);
  }
  return found;
}

/** A series whose published value is not the true one. */
export interface Difference {
  readonly series: string;
  readonly published: number;
  readonly truth: number;
}

/** Sums of decimal numbers depend on the order in which they are added. */
const RELATIVE_TOLERANCE = 1e-9;

/** Nothing was ever counted is the same as zero. */
export function differences(published: Counts, truth: Counts): Difference[] {
  return [...new Set([...published.keys(), ...truth.keys()])]
    .map((series) => ({ series, published: published.get(series) ?? 0, truth: truth.get(series) ?? 0 }))
    .filter((one) => Math.abs(one.published - one.truth) > RELATIVE_TOLERANCE * Math.max(1, Math.abs(one.truth)));
}

/** Waits until there are no differences, and whether it stays so for a while. Resolves to those that there are at last. */
export async function untilExact(
  compare: () => readonly Difference[],
  { staysMs, timeoutMs }: { staysMs: number; timeoutMs: number },
): Promise<readonly Difference[]> {
  const deadline = performance.now() + timeoutMs;
  let exactSince: number | undefined;
  for (;;) {
    const found = compare();
    const now = performance.now();
    exactSince = found.length === 0 ? (exactSince ?? now) : undefined;
    if (exactSince === undefined ? now > deadline : now - exactSince >= staysMs) return found;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Compares every page with the previous ones: a counter never decreases, and never starts again. */
export class PageWatch {
  readonly violations: string[] = [];
  pages = 0;
  readonly #highest = new Map<string, number>();
  readonly #created = new Map<string, number>();

  saw({ counts, created }: Page): void {
    this.pages++;
    for (const [series, value] of counts) {
      const highest = this.#highest.get(series) ?? 0;
      if (value < highest - RELATIVE_TOLERANCE * highest)
        this.violations.push(`${series} fell from ${highest} to ${value}`);
      this.#highest.set(series, Math.max(highest, value));
    }
    for (const [series, start] of created) {
      const before = this.#created.get(series) ?? start;
      if (before !== start) this.violations.push(`${series} started again: ${before}, then ${start}`);
      this.#created.set(series, start);
    }
  }
}
