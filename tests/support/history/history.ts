import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Span } from '../../../src/console/data-source.ts';
import { PrometheusServer } from '../prometheus/prometheus-server.ts';
import { writeBlocks, writeRecordedBlocks } from './tsdb-blocks.ts';
import { stretchedSeries, type Stretch } from './stretched-series.ts';
import type { Recording } from './recording.ts';

export interface HistoryOptions {
  readonly days: number;
  /** From scrape to scrape, except in the last hour, in which it is `LAST_STEP_S`. */
  readonly stepS: number;
  /** The file of the recording rules. */
  readonly rules: string;
}

/** Windows of alerts are as short as five minutes. */
const LAST_STEP_S = 15;
const HOUR_S = 3600;

/** The length of the last part of the recording, which is repeated in the last hour. It contains runs of each kind. */
const LAST_RUN_S = 12;

/** A real Prometheus that has scraped for weeks what a demo did within a minute. */
export class History implements AsyncDisposable, Span {
  readonly prometheus: PrometheusServer;
  readonly fromS: number;
  readonly toS: number;
  /** All but the last hour, in which the end of it is repeated. */
  readonly weeks: Span;
  readonly #folder: string;

  private constructor(prometheus: PrometheusServer, { fromS, toS }: Span, folder: string) {
    this.prometheus = prometheus;
    this.fromS = fromS;
    this.toS = toS;
    this.weeks = { fromS, toS: toS - HOUR_S };
    this.#folder = folder;
  }

  static async start(recording: Recording, { days, stepS, rules }: HistoryOptions): Promise<History> {
    const folder = await mkdtemp(path.join(tmpdir(), 'siphon-history-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => await rm(folder, { recursive: true, force: true }));
    const toS = Math.floor(Date.now() / 1000);
    const span = { fromS: toS - days * 24 * HOUR_S, toS };
    const stretches = stretchesOf(recording, span);
    const series = recording.series.map((one) => ({ text: one.text, at: stretchedSeries(one, stretches) }));
    const data = path.join(folder, 'data');
    await writeBlocks(data, series, momentsOf(span, stepS));
    const prometheus = stack.use(await PrometheusServer.startWith({}, { data, retention: `${2 * days}d` }));
    const file = path.join(folder, 'recording.yaml');
    await writeFile(file, rules);
    await writeRecordedBlocks(data, { url: prometheus.url, rules: file, ...span, everyS: stepS });
    await prometheus.restart();
    stack.move();
    return new History(prometheus, span, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.prometheus[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function stretchesOf({ fromS, toS }: Recording, stretched: Span): readonly Stretch[] {
  const hourS = stretched.toS - HOUR_S;
  return [
    { recorded: { fromS, toS }, stretched: { fromS: stretched.fromS, toS: hourS } },
    { recorded: { fromS: toS - LAST_RUN_S, toS }, stretched: { fromS: hourS, toS: stretched.toS } },
  ];
}

function momentsOf({ fromS, toS }: Span, stepS: number): readonly number[] {
  const hourS = toS - HOUR_S;
  return [...everyS(stepS, { fromS, toS: hourS }), ...everyS(LAST_STEP_S, { fromS: hourS, toS }), toS];
}

function everyS(stepS: number, { fromS, toS }: Span): readonly number[] {
  return Array.from({ length: Math.ceil((toS - fromS) / stepS) }, (_, index) => fromS + index * stepS);
}
