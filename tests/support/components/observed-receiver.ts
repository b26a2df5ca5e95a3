import type { ComponentSettings, Signal } from '../../../src/engine/component.ts';
import { ComponentLedger } from '../../../src/engine/account.ts';
import { MetricsPage } from '../../../src/engine/telemetry/metrics-page.ts';
import { logLines } from './log-lines.ts';

/** A receiver with access to its log lines and self-metrics. */
export abstract class ObservedReceiver implements AsyncDisposable {
  readonly log: readonly Record<string, unknown>[];
  protected readonly settings: ComponentSettings;
  readonly #page = new MetricsPage({});

  /** @param type also the id. */
  constructor(type: string, { signals, version = '0' }: { signals: readonly Signal[]; version?: string }) {
    const { logger, lines } = logLines();
    this.log = lines;
    const metrics = this.#page.metricsOf('receiver', type);
    this.settings = { id: type, signals: new Set(signals), logger, metrics, ledger: new ComponentLedger(), version };
  }

  abstract shutdown(): Promise<void>;

  said(sentence: string): number {
    return this.log.filter(({ msg }) => msg === sentence).length;
  }

  /** A sample of its self-metrics, without the prefix and the receiver label; undefined if it is absent. */
  async own(sample: string): Promise<number | undefined> {
    const { id } = this.settings;
    const [name, labels] = sample.split('{', 2);
    const line = `siphon_${id}_${name}{receiver="${id}"${labels === undefined ? '}' : `,${labels}`} `;
    const found = (await this.telemetryPage()).find((text) => text.startsWith(line));
    return found === undefined ? undefined : Number(found.slice(line.length).split(' ', 1)[0]);
  }

  protected async telemetryPage(): Promise<readonly string[]> {
    return (await this.#page.render()).split('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
    await this.#page.shutdown();
  }
}
