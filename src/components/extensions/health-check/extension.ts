import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Component, ComponentSettings, Host, HostStatus } from '../../../engine/component.ts';
import { GuardedServer } from '../../../engine/net/guarded-server.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { pathOf } from '../../../engine/net/request-path.ts';
import { idleKeys, type HealthCheckConfig } from './config.ts';

/** Answers 200 from the end of the start until shutdown begins, otherwise 503; also 503 if telemetry is refused for minutes. */
export class HealthCheckExtension implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: HealthCheckConfig;
  readonly #server: GuardedServer;
  #startedAt = new Date();
  #startedMs = performance.now();

  constructor(settings: ComponentSettings, config: HealthCheckConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#server = new GuardedServer(config, settings.logger);
  }

  async start(host: Host): Promise<void> {
    this.#startedAt = new Date();
    this.#startedMs = performance.now();
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    await this.#server.start(host, {
      serve: async (request, response) => this.#answer(host, request, response),
      refuse: (_request, response) => void response.writeHead(401).end(),
    });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#server.stop(deadline);
  }

  #answer(host: Host, request: IncomingMessage, response: ServerResponse): void {
    if (pathOf(request) !== this.#config.path) {
      response.writeHead(404).end();
      return;
    }
    const status = host.status();
    const { type, body } = this.#body(status, host.degraded());
    response.writeHead(status === 'ok' ? 200 : 503, { 'content-type': type }).end(body);
  }

  #body(status: HostStatus, degraded: readonly string[]): { readonly type: string; readonly body: string } {
    const healthy = status === 'ok';
    const configured = this.#config.response_body;
    if (configured !== undefined) {
      return { type: 'text/plain; charset=utf-8', body: healthy ? configured.healthy : configured.unhealthy };
    }
    return {
      type: 'application/json',
      body: JSON.stringify(healthy ? this.#available(degraded) : unavailable(status)),
    };
  }

  #available(degraded: readonly string[]): Record<string, unknown> {
    const uptimeSeconds = (performance.now() - this.#startedMs) / 1000;
    return {
      status: 'Server available',
      upSince: this.#startedAt.toISOString(),
      uptime: `${uptimeSeconds}s`,
      ...(degraded.length > 0 && { degraded }),
    };
  }
}

/** Go's zero values, like the stock extension. */
function unavailable(status: HostStatus): Record<string, string> {
  const reason =
    status === 'refusing' ? 'Server not available: telemetry is refused, see the log' : 'Server not available';
  return { status: reason, upSince: '0001-01-01T00:00:00Z', uptime: '' };
}
