import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Component, ComponentSettings, Host } from '../../../engine/component.ts';
import { close, formatEndpoint, listen } from '../../../engine/net/http-server.ts';
import type { HealthCheckConfig } from './config.ts';

/** Answers 200 from the end of the start until shutdown begins, otherwise 503. */
export class HealthCheckExtension implements Component {
  readonly #logger: Logger;
  readonly #config: HealthCheckConfig;
  #server: Server | undefined;
  #startedAt = new Date();

  constructor({ logger }: ComponentSettings, config: HealthCheckConfig) {
    this.#logger = logger;
    this.#config = config;
  }

  async start(host: Host): Promise<void> {
    this.#startedAt = new Date();
    this.#server = createServer((request, response) => this.#answer(host, request, response));
    const endpoint = await listen(this.#server, this.#config.endpoint);
    this.#logger.info({ endpoint: formatEndpoint(endpoint) }, 'Listening');
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    if (this.#server !== undefined) await close(this.#server, deadline);
  }

  #answer(host: Host, request: IncomingMessage, response: ServerResponse): void {
    if (request.url?.split('?', 1)[0] !== this.#config.path) {
      response.writeHead(404).end();
      return;
    }
    const healthy = host.status() === 'ok';
    const { type, body } = this.#body(healthy);
    response.writeHead(healthy ? 200 : 503, { 'content-type': type }).end(body);
  }

  #body(healthy: boolean): { readonly type: string; readonly body: string } {
    const configured = this.#config.response_body;
    if (configured !== undefined) {
      return { type: 'text/plain; charset=utf-8', body: healthy ? configured.healthy : configured.unhealthy };
    }
    return { type: 'application/json', body: JSON.stringify(healthy ? this.#available() : UNAVAILABLE) };
  }

  #available(): Record<string, string> {
    const uptimeSeconds = (Date.now() - this.#startedAt.getTime()) / 1000;
    return { status: 'Server available', upSince: this.#startedAt.toISOString(), uptime: `${uptimeSeconds}s` };
  }
}

/** Go's zero values, like the stock extension. */
const UNAVAILABLE = { status: 'Server not available', upSince: '0001-01-01T00:00:00Z', uptime: '' };
