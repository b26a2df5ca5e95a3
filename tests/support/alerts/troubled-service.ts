import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FaultEnvironment } from './fault-environment.ts';

const SERVICE = fileURLToPath(new URL('troubled-service.mjs', import.meta.url));

interface TroubledService {
  readonly provoke: (world: FaultEnvironment) => Promise<void>;
  readonly end: () => Promise<void>;
}

/** A process with the built preload, which sends its telemetry to the sidecar of the demo. */
export function troubledService(trouble: 'failing' | 'slow' | 'blocking'): TroubledService {
  let service: ChildProcess | undefined;
  return {
    provoke: async ({ watched }) => {
      service = spawn(process.execPath, ['--import', 'siphon-otel/preload', SERVICE, trouble], {
        env: {
          PATH: process.env['PATH'],
          OTEL_SERVICE_NAME: `shop-${trouble}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${watched.demo.ports.otlpHttp}`,
          OTEL_METRIC_EXPORT_INTERVAL: '1000',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await once(service, 'spawn');
    },
    end: async () => {
      if (service === undefined || service.exitCode !== null) throw new Error(`the ${trouble} service has ended`);
      const ended = once(service, 'exit');
      service.kill();
      await ended;
    },
  };
}
