import { startDemo, type Demo, type DemoOptions } from '../../../examples/coffee/start-demo.ts';
import { PrometheusServer } from '../prometheus/prometheus-server.ts';

/** The scrape interval and the evaluation interval. */
export const SCRAPE_S = 2;

/** The names of the scrape jobs. */
export type Page = 'services' | 'siphon';

const PAGES: readonly Page[] = ['services', 'siphon'];

export interface MonitoredDemoOptions {
  /** By default with short intervals between runs. */
  readonly demo?: DemoOptions;
  /** Rule files by name, from `ruleFiles`. */
  readonly rules?: ReadonlyMap<string, string>;
  /** The URL of the Alertmanager that receives the alerts. */
  readonly alertmanager?: string;
}

/** A running demo, and a real Prometheus that scrapes both endpoints of its sidecar like deploy/prometheus. */
export class MonitoredDemo implements AsyncDisposable {
  readonly demo: Demo;
  readonly prometheus: PrometheusServer;
  readonly #options: MonitoredDemoOptions;

  private constructor(demo: Demo, prometheus: PrometheusServer, options: MonitoredDemoOptions) {
    this.demo = demo;
    this.prometheus = prometheus;
    this.#options = options;
  }

  static async start(options: MonitoredDemoOptions = {}): Promise<MonitoredDemo> {
    const demo = await startDemo({ fullRunEveryS: 5, priceRunEveryS: 2, ...options.demo });
    try {
      const files = options.rules ?? new Map<string, string>();
      const prometheus = await PrometheusServer.startWith(configuration(demo, options), { files });
      return new MonitoredDemo(demo, prometheus, options);
    } catch (error) {
      await demo.stop();
      throw error;
    }
  }

  /** Restricts the scrape targets to these jobs, as if service discovery had lost the others. */
  async setFound(pages: readonly Page[]): Promise<void> {
    await this.prometheus.reload(configuration(this.demo, this.#options, pages));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.prometheus[Symbol.asyncDispose]();
    } finally {
      await this.demo.stop();
    }
  }
}

function configuration({ ports }: Demo, { rules, alertmanager }: MonitoredDemoOptions, found = PAGES): object {
  const every = `${SCRAPE_S}s`;
  const portOf = { services: ports.scrape, siphon: ports.telemetry } satisfies Record<Page, number>;
  const targetsOf = (page: Page): string[] => (found.includes(page) ? [`127.0.0.1:${portOf[page]}`] : []);
  return {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    scrape_configs: PAGES.map((page) => scrapeJob(page, targetsOf(page))),
    rule_files: [...(rules?.keys() ?? [])],
    ...(alertmanager !== undefined && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    }),
  };
}

function scrapeJob(name: string, targets: readonly string[]): object {
  return {
    job_name: name,
    honor_labels: true,
    static_configs: [{ targets }],
    metric_relabel_configs: [{ source_labels: ['__name__'], regex: '.+_created', action: 'drop' }],
  };
}
