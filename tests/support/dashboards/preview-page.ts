import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { startPreview } from '../../../src/console/preview/server.ts';
import type { Dashboard } from '../../../src/dashboards/model/panel.ts';
import { plain } from '../../../src/dashboards/model/plain.ts';
import { PrometheusServer } from '../prometheus/prometheus-server.ts';
import { shipped } from './shipped.ts';

/** The preview page with a real Prometheus that scrapes a test's OpenMetrics text every second. */
export class PreviewPage implements AsyncDisposable {
  readonly prometheus: PrometheusServer;
  readonly url: string;
  readonly #servers: readonly Server[];

  private constructor(prometheus: PrometheusServer, { preview, metrics }: { preview: Server; metrics: Server }) {
    this.prometheus = prometheus;
    this.url = `http://127.0.0.1:${portOf(preview)}`;
    this.#servers = [preview, metrics];
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
      dashboards: plain(dashboards),
      scrapeS: 1,
      sentry,
      port: 0,
    });
    return new PreviewPage(prometheus, { preview, metrics });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.prometheus[Symbol.asyncDispose]();
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
