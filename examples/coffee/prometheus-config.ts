import type { SidecarPorts } from './sidecar.ts';

/** What a Prometheus needs to scrape the demo's sidecar. */
export function prometheusConfig({ scrape, telemetry }: SidecarPorts): string {
  return `# prometheus --config.file=<this file>
global:
  scrape_interval: 5s
scrape_configs:
  - job_name: services
    honor_labels: true
    static_configs:
      - targets: ['127.0.0.1:${scrape}']
  - job_name: siphon
    static_configs:
      - targets: ['127.0.0.1:${telemetry}']
`;
}
