import type { Host } from '../../../engine/component.ts';
import type { QueryApi } from '../../../engine/query-apis.ts';
import { jsonText } from '../../../engine/json-text.ts';

/** Answers `/api/service`: what runs, and how it is. */
export class ServiceApi implements QueryApi {
  readonly prefix = '/api/service';
  readonly #host: Host;
  readonly #version: string;

  constructor(host: Host, version: string) {
    this.#host = host;
    this.#version = version;
  }

  async answer(): Promise<{ readonly status: number; readonly body: string }> {
    const host = this.#host;
    const service = {
      version: this.#version,
      status: host.status(),
      degraded: host.degraded(),
      uptimeSeconds: Math.round(process.uptime()),
      ...host.running(),
    };
    return { status: 200, body: jsonText(service) };
  }
}
