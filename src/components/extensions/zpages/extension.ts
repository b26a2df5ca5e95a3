import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Component, ComponentSettings, Host } from '../../../engine/component.ts';
import { GuardedServer } from '../../../engine/net/guarded-server.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { pathOf } from '../../../engine/net/request-path.ts';
import { idleKeys, type ZpagesConfig } from './config.ts';
import { pageAt } from './pages.ts';

/** Serves pages about the running pipelines and extensions. */
export class ZpagesExtension implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: ZpagesConfig;
  readonly #server: GuardedServer;
  readonly #startedAt = new Date();

  constructor(settings: ComponentSettings, config: ZpagesConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#server = new GuardedServer(config, settings.logger);
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    await this.#server.start(host, {
      serve: async (request, response) => this.#answer(host, request, response),
      refuse: (_request, response) => send(response, 401, 'The credentials are missing or wrong'),
    });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#server.stop(deadline);
  }

  #answer(host: Host, request: IncomingMessage, response: ServerResponse): void {
    const { version } = this.#settings;
    const about = {
      version,
      startedAt: this.#startedAt,
      status: host.status(),
      degraded: host.degraded(),
      service: host.running(),
    };
    const page = pageAt(pathOf(request), about);
    if (page === undefined) return send(response, 404, 'This page does not exist. See /debug/servicez');
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    });
    response.end(page);
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
