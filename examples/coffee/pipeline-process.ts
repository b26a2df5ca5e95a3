import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Child } from './child.ts';

export interface PipelineOptions {
  readonly databaseUrl: string;
  /** The sidecar's port for OTLP over HTTP. */
  readonly otlpPort: number;
  /** Folder for its artifacts and its log. */
  readonly folder: string;
  /** One run of each kind, or repeated runs at these intervals. */
  readonly schedule: 'once' | { readonly fullRunEveryS: number; readonly priceRunEveryS: number };
}

/** Starts the scraper as a separate process with the built preload, configured like any service. */
export function startPipeline({ databaseUrl, otlpPort, folder, schedule }: PipelineOptions): Child {
  const args = ['--artifacts-folder', join(folder, 'artifacts'), ...scheduleArgs(schedule)];
  return new Child('pipeline', ['--import', 'siphon-otel/preload', 'examples/coffee/pipeline/main.ts', ...args], {
    env: {
      DATABASE_URL: databaseUrl,
      OTEL_SERVICE_NAME: 'coffee-pipeline',
      OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${randomUUID()}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${otlpPort}`,
      OTEL_METRIC_EXPORT_INTERVAL: '2000',
      OTEL_BSP_SCHEDULE_DELAY: '1000',
    },
    logFile: join(folder, 'pipeline.log'),
  });
}

function scheduleArgs(schedule: PipelineOptions['schedule']): string[] {
  if (schedule === 'once') return ['--once'];
  return ['--full-every-s', String(schedule.fullRunEveryS), '--prices-every-s', String(schedule.priceRunEveryS)];
}
