import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startServer } from '@spotlightjs/spotlight';
import type { Page } from 'playwright-core';

const folder = fileURLToPath(new URL('../ui/', import.meta.resolve('@spotlightjs/spotlight')));

/** Sentry's Spotlight: takes the envelopes of SDKs on this machine and shows them. It accepts any envelope. */
export class Spotlight implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** The server alone: the command of the package also reports its own use to sentry.io. */
  static async start(): Promise<Spotlight> {
    const manifest = JSON.parse(readFileSync(`${folder}manifest.json`, 'utf8')) as Record<string, { file: string }>;
    const names = ['index.html', ...Object.values(manifest).map(({ file }) => file)];
    const filesToServe = Object.fromEntries(names.map((name) => [name, readFileSync(`${folder}${name}`)]));
    return new Spotlight(await startServer({ port: 0, filesToServe }));
  }

  get #host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get dsn(): string {
    return `http://0123456789abcdef0123456789abcdef@${this.#host}/1`;
  }

  /** Opens its page, which reaches nothing but this server. */
  async open(page: Page): Promise<void> {
    await page.route(
      ({ host }) => host !== this.#host,
      async (route) => await route.abort(),
    );
    await page.goto(`http://${this.#host}/`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
