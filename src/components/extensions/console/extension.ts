import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Component, ComponentSettings, Host } from '../../../engine/component.ts';
import { GuardedServer } from '../../../engine/net/guarded-server.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { OwnPages } from '../../../engine/net/own-pages.ts';
import { limitReader } from '../../../engine/net/reader-limit.ts';
import { pathOf, queryOf } from '../../../engine/net/request-path.ts';
import { UnreadAnswers } from '../../../engine/net/unread-answers.ts';
import type { AskQuery, QueryAnswer, QueryApi, TextView } from '../../../engine/query-apis.ts';
import { jsonText } from '../../../engine/json-text.ts';
import { acceptedForm } from './accepted-form.ts';
import { idleKeys, type ConsoleConfig } from './config.ts';
import { ConfigurationApi } from './configuration-api.ts';
import { followList, MAX_FOLLOWERS } from './follow-list.ts';
import { Page, type PageFiles, type SentFile } from './page.ts';
import { ServiceApi } from './service-api.ts';
import { TapApi } from './tap-api.ts';

/** The size of one of the longest answers of a history. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The page and the texts of the console. Other components answer its queries. */
export interface ConsoleContent {
  /** The files of the page, which are read when somebody opens it. */
  readonly readPage: () => Promise<PageFiles>;
  /** The names of the views besides the dashboards. */
  readonly views: readonly string[];
  /** Answers that are made of the answers of several components. */
  readonly composed: (ask: AskQuery) => readonly QueryApi[];
  /** Undefined for an address that is only a page. */
  readonly textView: (path: string) => TextView | undefined;
}

interface TextRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly view: TextView;
  readonly form: 'json' | 'text';
}

/** Serves the page and, on the same address, the queries that the page makes. */
export class ConsoleExtension implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: ConsoleConfig;
  readonly #server: GuardedServer;
  readonly #ownPages: OwnPages;
  readonly #page: Page;
  readonly #content: ConsoleContent;
  readonly #unread = new UnreadAnswers(MAX_UNREAD_BYTES);
  readonly #stopping = new AbortController();
  #followers = 0;
  #offered: readonly Disposable[] = [];

  constructor(settings: ComponentSettings, config: ConsoleConfig, content: ConsoleContent) {
    this.#content = content;
    this.#settings = settings;
    this.#config = config;
    this.#server = new GuardedServer(config, settings.logger);
    this.#ownPages = new OwnPages(config, config.allowed_hosts);
    this.#page = new Page(content.readPage, content.views);
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    const composed = this.#content.composed(async (...query) => await answerOf(host, query));
    const own = [
      new ServiceApi(host, this.#settings.version),
      new ConfigurationApi(host),
      new TapApi(host, this.#stopping.signal),
    ];
    const apis = [...own, ...composed];
    this.#offered = apis.map((api) => host.queryApis.offer(api));
    await this.#server.start(host, {
      serve: async (request, response) => await this.#serve(host, request, response),
      refuse: (_request, response) => sendText(response, 401, 'The credentials are missing or wrong'),
    });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    for (const offered of this.#offered) offered[Symbol.dispose]();
    this.#stopping.abort();
    await this.#server.stop(deadline);
  }

  async #serve(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendText(response, 405, 'Only GET is allowed');
    }
    if (!this.#ownPages.hasOwnName(request)) {
      return sendText(response, 421, 'This host name is not allowed: add it to allowed_hosts');
    }
    if (!this.#ownPages.hasOwnOrigin(request)) return sendText(response, 403, 'Pages of other origins may not ask');
    const path = pathOf(request);
    if (path.startsWith('/api/')) return await this.#answer(host, { request, response, path });
    const view = this.#content.textView(path);
    const form = acceptedForm(request);
    if (view !== undefined && form !== 'page') return await this.#answerText(host, { request, response, view, form });
    const file = await this.#page.file(path);
    if (file === undefined && view !== undefined)
      return await this.#answerText(host, { request, response, view, form: 'text' });
    if (file === undefined) return sendText(response, 404, 'This page does not exist. See /');
    sendFile(request, response, file);
  }

  /** The same numbers as on the page. */
  async #answerText(host: Host, { request, response, view, form }: TextRequest): Promise<void> {
    const parameters = queryOf(request);
    for (const [name, value] of Object.entries(view.parameters ?? {})) parameters.set(name, value);
    const { text, page } = view;
    const follows = page !== undefined && form === 'text' && parameters.has('follow');
    if (follows) parameters.delete('follow');
    if (follows && this.#followers >= MAX_FOLLOWERS) return sendText(response, 503, 'Too many readers follow lists');
    const { status, body } = await this.#ask(host, response, view.path, parameters);
    response.setHeader('vary', 'accept');
    if (form === 'json') return this.#send(request, response, { status, body });
    if (status !== 200) return sendText(response, status, (JSON.parse(body) as { readonly error: string }).error);
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
    if (request.method === 'HEAD') response.end();
    else if (!follows) this.#unread.send(response, `${text(JSON.parse(body))}\n`);
    else {
      const ask = async (after: string): Promise<QueryAnswer> => {
        parameters.set('after', after);
        return await this.#ask(host, response, view.path, parameters);
      };
      this.#followers += 1;
      try {
        await followList(response, body, { text, page, ask, signal: this.#stopping.signal });
      } finally {
        this.#followers -= 1;
      }
    }
  }

  async #answer(
    host: Host,
    { request, response, path }: { request: IncomingMessage; response: ServerResponse; path: string },
  ): Promise<void> {
    this.#send(request, response, await this.#ask(host, response, path, queryOf(request)));
  }

  async #ask(host: Host, response: ServerResponse, path: string, parameters: URLSearchParams): Promise<QueryAnswer> {
    return await answerOf(host, [path, parameters, () => !response.destroyed && this.#unread.hasRoom]);
  }

  #send(request: IncomingMessage, response: ServerResponse, { status, body }: QueryAnswer): void {
    if (status === 503) response.setHeader('retry-after', 1);
    response.writeHead(status, { ...HEADERS, 'content-type': 'application/json; charset=utf-8' });
    if (request.method === 'HEAD') response.end();
    else this.#unread.send(response, body);
  }
}

async function answerOf({ queryApis }: Host, [path, ...rest]: Parameters<AskQuery>): Promise<QueryAnswer> {
  return (await queryApis.of(path)?.answer(path, ...rest)) ?? absent(path);
}

/** The component that would answer does not run. */
function absent(path: string): { readonly status: number; readonly body: string } {
  const error = path.startsWith('/api/v1/')
    ? 'No metrics are kept: add the extension metrics_history, and name it in the key `history` of the exporter prometheus'
    : 'No traces and logs are kept: add the exporter telemetry_store to the pipelines';
  return { status: 404, body: jsonText({ status: 'error', errorType: 'not_found', error }) };
}

function sendFile(request: IncomingMessage, response: ServerResponse, { type, plain, gzipped }: SentFile): void {
  const isGzipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const body = isGzipped ? gzipped : plain;
  response.writeHead(200, {
    ...HEADERS,
    'content-type': `${type}; charset=utf-8`,
    'content-length': body.length,
    vary: 'accept-encoding',
    ...(isGzipped && { 'content-encoding': 'gzip' }),
  });
  const limit = limitReader(response);
  response.once('close', () => limit[Symbol.dispose]());
  response.end(request.method === 'HEAD' ? undefined : body);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
