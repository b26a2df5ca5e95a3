import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';

export interface SidecarPorts {
  readonly otlpHttp: number;
  readonly otlpGrpc: number;
  readonly scrape: number;
  readonly telemetry: number;
  readonly health: number;
}

const readyTimeoutMs = 15_000;

/** The ports of the shipped configuration where they are free. */
export async function choosePorts(): Promise<SidecarPorts> {
  return {
    otlpHttp: await freePort(4318),
    otlpGrpc: await freePort(4317),
    scrape: await freePort(8000),
    telemetry: await freePort(8888),
    health: await freePort(13_133),
  };
}

/** `siphon run` on the shipped configuration, as its own process. Resolves when it is healthy. */
export async function startSidecar(
  ports: SidecarPorts,
  options: { readonly env: Record<string, string>; readonly logFile: string; readonly pollInterval: string },
): Promise<Child> {
  const sets = [
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${ports.otlpHttp}`,
    `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${ports.otlpGrpc}`,
    `receivers.db_poller.collection_interval=${options.pollInterval}`,
    `exporters.prometheus.endpoint=127.0.0.1:${ports.scrape}`,
    `extensions.health_check.endpoint=127.0.0.1:${ports.health}`,
    `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${ports.telemetry}}}}}]`,
  ].flatMap((set) => ['--set', set]);
  const sidecar = new Child('sidecar', ['dist/main.js', 'run', '--config', 'otel-collector.yaml', ...sets], options);
  await untilHealthy(sidecar, ports.health);
  return sidecar;
}

async function untilHealthy(sidecar: Child, port: number): Promise<void> {
  const end = Date.now() + readyTimeoutMs;
  while (sidecar.isRunning && Date.now() < end) {
    if (await answersOk(`http://127.0.0.1:${port}/`)) return;
    await sleep(50);
  }
  const reason = sidecar.isRunning ? 'the sidecar did not become healthy' : await sidecar.ended;
  await sidecar.stop();
  throw new Error(reason);
}

async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
