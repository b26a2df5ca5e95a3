import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Preview } from '../../../src/console/preview/server.ts';
import { startPreview } from './built-page.ts';
import type { Dashboard } from '../../../src/dashboards/model/panel.ts';
import { dashboardModels } from '../../../src/dashboards/model/dashboard-model.ts';
import { PrometheusServer } from '../prometheus/prometheus-server.ts';
import { shipped } from './shipped.ts';

/** The preview page with a real Prometheus that scrapes a test's OpenMetrics text every second. */
export class PreviewPage implements AsyncDisposable {
  readonly prometheus: PrometheusServer;
  readonly url: string;
  readonly #preview: Preview;
  readonly #metrics: Server;

  private constructor(prometheus: PrometheusServer, { preview, metrics }: { preview: Preview; metrics: Server }) {
    this.prometheus = prometheus;
    this.url = preview.url;
    this.#preview = preview;
    this.#metrics = metrics;
  }

  /** @param text the metrics; called at each scrape. */
  static async start(
    text: () => string,
    { sentry, dashboards = shipped.dashboards }: { readonly sentry: URL; readonly dashboards?: readonly Dashboard[] },
  ): Promise<PreviewPage> {
    const metrics = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' });
      response.end(`${text()}# EOF\n`);
    }).listen(0, '127.0.0.1');
    await once(metrics, 'listening');
    const prometheus = await PrometheusServer.startWith({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        {
          job_name: 'services',
          honor_labels: true,
          static_configs: [{ targets: [`127.0.0.1:${portOf(metrics)}`] }],
        },
      ],
    });
    const preview = await startPreview({
      prometheus: new URL(prometheus.url),
      dashboards: dashboardModels(dashboards),
      scrapeS: 1,
      sentry,
      port: 0,
    });
    return new PreviewPage(prometheus, { preview, metrics });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#preview.close();
    this.#metrics.close();
    this.#metrics.closeAllConnections();
    await this.prometheus[Symbol.asyncDispose]();
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
