import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { metricsHistoryConfig } from '../../../src/components/extensions/metrics-history/config.ts';
import { MetricsHistoryExtension } from '../../../src/components/extensions/metrics-history/extension.ts';
import type { RuleFile } from '../../../src/rules/parse-rule-file.ts';
import type { Storage } from '../../../src/engine/storage.ts';
import { SINGLE } from '../../../src/engine/metric-history.ts';
import { componentSettings } from '../components/component-settings.ts';
import { hostWith } from '../components/host-with.ts';

export interface RuledHistoryOptions {
  /** The keys of `rules`. */
  readonly keys?: Record<string, unknown>;
  readonly packs?: readonly RuleFile[];
  readonly storage?: Storage;
  /** The values by room; 1, 2 and 3 for the rooms of that name by default. */
  readonly levels?: Readonly<Record<string, number>>;
  readonly lookback?: string;
}

/** A history with a metric `level` for each room, and rules about it, each second. */
export class RuledHistory implements AsyncDisposable {
  /** The values by room; a test may change them. */
  readonly levels: Map<string, number>;
  readonly lines: readonly Record<string, unknown>[];
  readonly page: () => Promise<string>;
  readonly #extension: MetricsHistoryExtension;
  readonly #folder: string;

  private constructor(
    extension: MetricsHistoryExtension,
    folder: string,
    observed: Pick<ReturnType<typeof componentSettings>, 'lines' | 'page'>,
    levels: Readonly<Record<string, number>> = { 1: 1, 2: 2, 3: 3 },
  ) {
    this.levels = new Map(Object.entries(levels));
    this.lines = observed.lines;
    this.page = observed.page;
    this.#extension = extension;
    this.#folder = folder;
  }

  static async start(
    rules: string,
    { keys = {}, packs = [], storage, levels, lookback = '5m' }: RuledHistoryOptions = {},
  ): Promise<RuledHistory> {
    const folder = await mkdtemp(path.join(tmpdir(), 'siphon-rules-'));
    const file = path.join(folder, 'rules.yaml');
    await writeFile(file, rules);
    const { settings, ...observed } = componentSettings('extension', 'metrics_history');
    const config = v.parse(metricsHistoryConfig, {
      endpoint: '127.0.0.1:0',
      interval: '1s',
      lookback,
      ...(storage !== undefined && { storage: 'kept' }),
      rules: { rule_files: [file], interval: '1s', ...keys },
    });
    const extension = new MetricsHistoryExtension(settings, config, async () => packs);
    const history = new RuledHistory(extension, folder, observed, levels);
    try {
      await extension.start(hostWith({ kept: storage }));
    } catch (error) {
      await history[Symbol.asyncDispose]();
      throw error;
    }
    extension.follow({
      sample: async (sink) => {
        for (const [room, value] of history.levels) {
          sink.write(sink.numberOf({ name: 'level', labels: `room="${room}"`, parts: SINGLE }), value);
        }
      },
      metadata: () => [],
    });
    return history;
  }

  get url(): string {
    return `http://${String(this.lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  }

  /** Asks the API of Prometheus. */
  async ask(query: string): Promise<unknown> {
    const answer = await fetch(`${this.url}/api/v1/${query}`);
    return ((await answer.json()) as { readonly data: unknown }).data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#extension.shutdown(AbortSignal.timeout(1000));
    await rm(this.#folder, { recursive: true });
  }
}
