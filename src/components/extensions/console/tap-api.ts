import { setTimeout as sleep } from 'node:timers/promises';
import type { Host, TelemetryBatch } from '../../../engine/component.ts';
import { jsonText } from '../../../engine/json-text.ts';
import type { JsonObject } from '../../../engine/otlp/json-values.ts';
import type { QueryAnswer, QueryApi } from '../../../engine/query-apis.ts';
import { inSlices } from '../../../engine/time-slice.ts';
import { Privacy } from '../../../privacy/privacy.ts';
import { shownItems } from './shown-items.ts';

/** The answer: the batches that have passed an edge of a pipeline while the query waited. */
interface TapSample {
  readonly pipeline: string;
  readonly edge: number;
  readonly seconds: number;
  /** All that passed, also what is not shown. */
  readonly batches: number;
  readonly items: number;
  readonly shown: readonly JsonObject[];
}

const SAMPLE_MS = 2000;
/** How often it is noticed that the reader has left. */
const CHECK_MS = 200;
const MAX_ITEMS = 20;
/** Items of these batches are shown. They are kept until the end of the sample. */
const MAX_BATCHES = 10;
const MAX_RUNNING = 4;

/** Answers `/api/tap`: waits two seconds, and shows some of the items that pass an edge meanwhile. */
export class TapApi implements QueryApi {
  readonly prefix = '/api/tap';
  readonly #host: Host;
  readonly #signal: AbortSignal;
  #running = 0;

  /** @param signal ends samples. */
  constructor(host: Host, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
  }

  async answer(_path: string, parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer> {
    const pipeline = parameters.get('pipeline') ?? '';
    const edge = Number(parameters.get('edge') ?? 0);
    if (this.#running >= MAX_RUNNING) return failure(503, 'too many taps are open');
    const kept: TelemetryBatch[] = [];
    let [batches, items] = [0, 0];
    const watched = this.#host.watch(pipeline, edge, (batch) => {
      batches++;
      items += batch.itemCount;
      if (kept.length < MAX_BATCHES) kept.push(batch);
    });
    if (watched === undefined) return failure(404, this.#unknown(pipeline));
    this.#running++;
    const fromMs = performance.now();
    try {
      while (performance.now() - fromMs < SAMPLE_MS && hasRoom() && !this.#signal.aborted)
        await sleep(CHECK_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    } finally {
      watched[Symbol.dispose]();
      this.#running--;
    }
    const seconds = Math.round(performance.now() - fromMs) / 1000;
    if (!hasRoom()) return failure(503, 'too many answers wait for their readers');
    const shown = await this.#shown(kept);
    const sample: TapSample = { pipeline, edge, seconds, batches, items, shown };
    return { status: 200, body: jsonText(sample) };
  }

  /** The first items of each batch. */
  async #shown(kept: readonly TelemetryBatch[]): Promise<readonly JsonObject[]> {
    const privacy = new Privacy({ denied: deniedIn(this.#host.configuration()) });
    const most = Math.ceil(MAX_ITEMS / Math.max(1, kept.length));
    const shown: JsonObject[] = [];
    for (const batch of kept) shown.push(...(await inSlices(shownItems(batch, most, privacy))));
    return shown.slice(0, MAX_ITEMS);
  }

  #unknown(pipeline: string): string {
    const known = this.#host.running().pipelines;
    const found = known.find(({ id }) => id === pipeline);
    if (found !== undefined) return `the pipeline ${pipeline} has edges from 0 to ${found.processors.length}`;
    return `the pipeline must be one of ${known.map(({ id }) => id).join(', ')}`;
  }
}

/** The attributes that an exporter must not keep or send are not shown either. */
function deniedIn(configuration: unknown): readonly string[] {
  const { exporters = {} } = (configuration ?? {}) as { readonly exporters?: Readonly<Record<string, unknown>> };
  return Object.values(exporters ?? {}).flatMap((exporter) => {
    const { deny_attributes: denied } = (exporter ?? {}) as { readonly deny_attributes?: unknown };
    return Array.isArray(denied) ? denied.map(String) : [];
  });
}

function failure(status: number, error: string): QueryAnswer {
  return { status, body: jsonText({ error }) };
}
