import { Child } from './child.ts';
import { freePort } from './free-port.ts';

export interface SidecarPorts {
  readonly otlpHttp: number;
  readonly otlpGrpc: number;
  readonly scrape: number;
  readonly telemetry: number;
  readonly health: number;
}

export interface SidecarOptions {
  readonly env: Record<string, string>;
  readonly logFile: string;
  /** How often the database is asked, e.g. `2s`. */
  readonly pollInterval: string;
}

const readyTimeoutMs = 15_000;
const startAttempts = 3;

/** The sidecar on ports that are free. Between choosing a port and binding it, another process may have taken it. */
export async function startOnFreePorts(
  options: SidecarOptions,
): Promise<{ readonly ports: SidecarPorts; readonly sidecar: Child }> {
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts();
    try {
      return { ports, sidecar: await startSidecar(ports, options) };
    } catch (error) {
      if (attempt === startAttempts || !String(error).includes('already in use')) throw error;
    }
  }
}

/** The ports of the shipped configuration where they are free. */
async function choosePorts(): Promise<SidecarPorts> {
  return {
    otlpHttp: await freePort(4318),
    otlpGrpc: await freePort(4317),
    scrape: await freePort(8000),
    telemetry: await freePort(8888),
    health: await freePort(13_133),
  };
}

/** `siphon run` on the shipped configuration, as its own process. Resolves when it is ready. */
export async function startSidecar(ports: SidecarPorts, options: SidecarOptions): Promise<Child> {
  const sets = [
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${ports.otlpHttp}`,
    `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${ports.otlpGrpc}`,
    `receivers.db_poller.collection_interval=${options.pollInterval}`,
    `exporters.prometheus.endpoint=127.0.0.1:${ports.scrape}`,
    `extensions.health_check.endpoint=127.0.0.1:${ports.health}`,
    `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${ports.telemetry}}}}}]`,
  ].flatMap((set) => ['--set', set]);
  const sidecar = new Child('sidecar', ['dist/main.js', 'run', '--config', 'otel-collector.yaml', ...sets], options);
  try {
    await sidecar.hasLogged('Everything is ready', readyTimeoutMs);
  } catch (error) {
    await sidecar.stop();
    throw error;
  }
  return sidecar;
}
