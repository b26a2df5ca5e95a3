import { join } from 'node:path';
import { Child } from './child.ts';

const READY_MS = 20_000;

/** Starts a service that keeps a row locked. Resolves when it is. */
export async function startHangingTransaction(options: {
  readonly databaseUrl: string;
  /** The sidecar's port for OTLP over HTTP. */
  readonly otlpPort: number;
  /** Folder for its log. */
  readonly folder: string;
}): Promise<Child> {
  const child = new Child(
    'back office',
    ['--import', 'siphon-otel/preload', 'examples/coffee/hanging-transaction.ts'],
    {
      env: {
        DATABASE_URL: options.databaseUrl,
        OTEL_SERVICE_NAME: 'back-office',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${options.otlpPort}`,
        OTEL_BSP_SCHEDULE_DELAY: '1000',
      },
      logFile: join(options.folder, 'back-office.log'),
    },
  );
  await child.hasLogged('The row is locked', READY_MS);
  return child;
}
