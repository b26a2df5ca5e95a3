/** Records what the sidecar knows about a time into one HTML file. Runs in Node.js and in browsers. */
import type { ErrorGroups, LogRecord, Trace, TraceSummary } from '../../engine/stored-telemetry.ts';
import type { RulesAnswer } from '../alerts.ts';
import type { PageSettings } from '../page-settings.ts';
import { cleanLabels, cleanRules } from './clean-labels.ts';
import { CompressedLines } from './compressed-lines.ts';
import { DATA_PLACE, type RecordedExemplars, type RecordedSamples, type RecordingHead } from './recording.ts';

/** A running console. */
export interface AskedConsole {
  /** @param path below `/api/`. @throws Error with a message for the reader. */
  readonly ask: <T>(path: string, query?: Readonly<Record<string, string>>) => Promise<T>;
  readonly settings: PageSettings;
  /** The page without data, which the build writes. */
  readonly page: string;
}

export interface RecordedTime {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface IncidentFile {
  readonly name: string;
  readonly html: string;
  /** One sentence for each part that is missing or has less than there was. */
  readonly notes: readonly string[];
}

/** With more, mail and chat refuse the file. */
export const MAX_INCIDENT_LENGTH = 16 * 1024 * 1024;

export async function recordIncident(
  { ask, settings, page }: AskedConsole,
  time: RecordedTime,
  maxLength = MAX_INCIDENT_LENGTH,
): Promise<IncidentFile> {
  const recorder = new Recorder(ask, time, maxLength - page.length);
  const data = await recorder.record(settings);
  return { name: fileName(time.untilMs), html: page.replace(DATA_PLACE, () => data), notes: recorder.notes };
}

function fileName(ms: number): string {
  return `siphon-incident-${new Date(ms).toISOString().slice(0, 19).replaceAll(':', '-')}Z.html`;
}

/** The views whose data a file has. */
const RECORDED_VIEWS: ReadonlySet<string> = new Set(['traces', 'errors', 'logs', 'database', 'alerts', 'pipelines']);

/** The store lists no more in one answer. */
const PAGE = 1000;
/** Traces and log lines may fill this part, so that there is room for the graphs. */
const STORE_SHARE = 0.6;
/** The compressor holds back about as much. */
const RESERVE = 256 * 1024;
const MAX_LOGS = 20_000;

class Recorder {
  readonly #ask: AskedConsole['ask'];
  readonly #time: RecordedTime;
  readonly #maxLength: number;
  readonly #lines = new CompressedLines();
  readonly notes: string[] = [];

  constructor(ask: AskedConsole['ask'], time: RecordedTime, maxLength: number) {
    this.#ask = ask;
    this.#time = time;
    this.#maxLength = maxLength - RESERVE;
  }

  /** @returns Base64. */
  async record(settings: PageSettings): Promise<string> {
    const head = headOf(settings, this.#time);
    await this.#lines.write(['head', head]);
    await this.#part('Pipelines', async () => await this.#answer('pipelines'));
    await this.#part('The numbers of the database', async () => await this.#answer('database'));
    await this.#part('Alerts', async () => {
      const { data } = await this.#ask<{ readonly data: RulesAnswer }>('v1/rules', { type: 'alert' });
      await this.#lines.write(['rules', cleanRules(data)]);
    });
    await this.#part('Errors', async () => await this.#errors());
    await this.#part('Traces', async () => await this.#traces());
    await this.#part('Log lines', async () => await this.#logs());
    await this.#part('Metrics', async () => await this.#metrics(head));
    for (const note of this.notes) await this.#lines.write(['note', note]);
    return await this.#lines.finish();
  }

  /** The other parts are recorded although one cannot be. */
  async #part(what: string, record: () => Promise<void>): Promise<void> {
    try {
      await record();
    } catch (error) {
      this.notes.push(`${what} are missing: ${(error as Error).message}`);
    }
  }

  get #between(): Readonly<Record<'since' | 'until', string>> {
    const [since, until] = [this.#time.fromMs, this.#time.untilMs].map((ms) => new Date(ms).toISOString());
    return { since: since as string, until: until as string };
  }

  #hasRoom(share = 1): boolean {
    return this.#lines.length < this.#maxLength * share;
  }

  async #answer(path: string): Promise<void> {
    await this.#lines.write(['answer', { path, body: await this.#ask(path) }]);
  }

  async #errors(): Promise<void> {
    const { errors, left } = await this.#ask<ErrorGroups>('errors', this.#between);
    await this.#lines.write(['errors', errors]);
    if (left > 0) this.notes.push(`${left} more groups of errors are left out`);
  }

  /** Failed ones first, because there may not be room for all. */
  async #traces(): Promise<void> {
    const list = async (query: Readonly<Record<string, string>>): Promise<readonly TraceSummary[]> =>
      (
        await this.#ask<{ readonly traces: readonly TraceSummary[] }>('traces', {
          ...this.#between,
          ...query,
          limit: String(PAGE),
        })
      ).traces;
    const lists = [await list({ status: 'error' }), await list({})];
    const found = new Map(lists.flat().map((summary) => [summary.traceId, summary]));
    let left = 0;
    for (const summary of found.values()) {
      if (this.#hasRoom(STORE_SHARE / 2)) await this.#trace(summary);
      else left += 1;
    }
    if (left > 0) this.notes.push(`${left} traces are left out`);
    if (lists.some(({ length }) => length === PAGE)) this.notes.push(`Only the newest ${PAGE} traces are listed`);
  }

  /** The store may have forgotten it since it was listed. */
  async #trace(summary: TraceSummary): Promise<void> {
    const trace = await this.#ask<Trace>(`traces/${summary.traceId}`).catch(() => undefined);
    if (trace !== undefined) await this.#lines.write(['trace', { summary, trace }]);
  }

  /** Page by page into the past. A page begins with the millisecond with which the one after it ends. */
  async #logs(): Promise<void> {
    const known = new Set<string>();
    let { until } = this.#between;
    for (;;) {
      const { logs } = await this.#ask<{ readonly logs: readonly LogRecord[] }>('logs', {
        since: this.#between.since,
        until,
        limit: String(PAGE),
      });
      const fresh = logs.filter((log) => !known.has(JSON.stringify(log)));
      for (const log of fresh.toReversed()) {
        known.add(JSON.stringify(log));
        await this.#lines.write(['log', log]);
      }
      const [oldest] = logs;
      if (oldest === undefined || fresh.length === 0) return;
      until = new Date(Number(BigInt(oldest.timeUnixNano) / 1_000_000n)).toISOString();
      if (known.size >= MAX_LOGS || !this.#hasRoom(STORE_SHARE)) {
        this.notes.push(`Log lines before ${until} are left out`);
        return;
      }
    }
  }

  async #metrics({ settings }: RecordingHead): Promise<void> {
    const { fromMs, untilMs } = this.#time;
    const end = String(untilMs / 1000);
    const { data: names } = await this.#ask<{ readonly data: readonly string[] }>('v1/label/__name__/values', {
      start: String(fromMs / 1000),
      end,
    });
    const reaches = reachesIn(settings, untilMs - fromMs);
    const left: string[] = [];
    // The metrics of the dashboards come first, because there may not be room for all.
    for (const name of names.toSorted((a, b) => Number(reaches.has(b)) - Number(reaches.has(a)))) {
      if (!this.#hasRoom()) {
        left.push(name);
        // Without a known time, its graphs say so instead of being empty.
        await this.#lines.write(['samples', { name, sinceMs: untilMs, ...NO_SAMPLES }]);
        continue;
      }
      const sinceMs = fromMs - LEAST_REACH_MS - (reaches.get(name) ?? 0);
      const { data } = await this.#ask<{ readonly data: Omit<RecordedSamples, 'name' | 'sinceMs'> }>('v1/samples', {
        'match[]': `{__name__="${name}"}`,
        start: String(sinceMs / 1000),
        end,
      });
      await this.#lines.write(['samples', { name, sinceMs, ...data, series: distinct(data.series.map(cleanSeries)) }]);
    }
    if (left.length > 0) this.notes.push(`${left.length} of ${names.length} metrics are left out`);
    const { data } = await this.#ask<{ readonly data: readonly RecordedExemplars[] }>('v1/query_exemplars', {
      query: '{__name__=~".+"}',
      start: String(fromMs / 1000),
      end,
    });
    await this.#lines.write(['exemplars', data.map(cleanExemplars)]);
  }
}

const NO_SAMPLES = { lookbackMs: 1, subqueryStepMs: 1, moments: [], series: [] } as const;

function headOf(settings: PageSettings, { fromMs, untilMs }: RecordedTime): RecordingHead {
  const from = `${Math.round((untilMs - fromMs) / 1000)}s`;
  const dashboards = settings.dashboards.map((dashboard) => ({ ...dashboard, from, refresh: '' }));
  const views = settings.views.filter((view) => RECORDED_VIEWS.has(view));
  return { fromMs, untilMs, settings: { ...settings, dashboards, views } };
}

/** For the lookback and the rates of pages. */
const LEAST_REACH_MS = 10 * 60_000;

/** How far back the expressions with a metric read at most: all durations in one of them together. */
function reachesIn({ dashboards }: PageSettings, lengthMs: number): ReadonlyMap<string, number> {
  const reaches = new Map<string, number>();
  for (const { expression } of dashboards
    .flatMap(({ rows }) => rows.flatMap(({ panels }) => panels))
    .flatMap(({ queries }) => queries)) {
    const fixedMs = [...expression.matchAll(DURATION)].reduce(
      (sum, [, amount, unit]) => sum + Number(amount) * UNITS_MS[unit as string]!,
      0,
    );
    const reachMs = fixedMs + (expression.includes('$__range') ? lengthMs : 0);
    for (const [name] of expression.matchAll(/[A-Za-z_:][\w:]*/g))
      reaches.set(name, Math.max(reaches.get(name) ?? 0, reachMs));
  }
  return reaches;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DURATION = /\b(\d+)([smhdw])\b/g;

function cleanSeries(series: RecordedSamples['series'][number]): RecordedSamples['series'][number] {
  return { ...series, metric: cleanLabels(series.metric) };
}

function cleanExemplars({ seriesLabels, exemplars }: RecordedExemplars): RecordedExemplars {
  return {
    seriesLabels: cleanLabels(seriesLabels),
    exemplars: exemplars.map((one) => ({ ...one, labels: cleanLabels(one.labels) })),
  };
}

/** Two series may have become equal when their labels lost a secret. */
function distinct(series: RecordedSamples['series']): RecordedSamples['series'] {
  return [...new Map(series.map((one) => [JSON.stringify(one.metric), one])).values()];
}
