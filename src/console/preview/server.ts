/** Serves the page, and passes on to a Prometheus what the page asks it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DashboardModel } from '../../dashboards/model/dashboard-model.ts';
import { dashboardWithData } from '../dashboard-with-data.ts';
import { INDEX, pageFiles, type PageFile } from '../page-files.ts';

export interface PreviewOptions {
  /** The folder with the page, which the build writes. */
  readonly page: URL;
  readonly prometheus: URL;
  readonly dashboards: readonly DashboardModel[];
  /** How often Prometheus scrapes. */
  readonly scrapeS: number;
  /** Where traces are, as in a browser: `https://<organisation>.sentry.io`. */
  readonly sentry?: URL | undefined;
  /** 0 for any that is free. */
  readonly port: number;
}

const HOST = '127.0.0.1';

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The read-only requests that the page needs. */
const ASKABLE = /^\/prometheus(\/api\/v1\/(?:query|query_range|query_exemplars|label\/[A-Za-z_]\w*\/values))(\?.*)?$/;

/** More than this no page can draw; what asks for it is mistaken. */
const LONGEST_ANSWER = 32 * 1024 * 1024;

/** Another name that leads here is that of a site which wants to read what only this machine may. */
const OWN_NAMES = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:",
  'x-content-type-options': 'nosniff',
};

export interface Preview extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

export async function startPreview(options: PreviewOptions): Promise<Preview> {
  const { page, dashboards, scrapeS, sentry } = options;
  const files = pageFiles(page, {
    dashboards,
    scrapeS,
    sentry: sentry?.href,
    prometheus: '/prometheus',
    listsOnlyWithData: false,
    views: [],
  });
  const server = createServer((request, response) => {
    void answer(request, response, { ...options, files });
  });
  server.listen(options.port, HOST);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://${HOST}:${port}`, close, [Symbol.asyncDispose]: close };
}

interface Served extends PreviewOptions {
  readonly files: ReadonlyMap<string, PageFile>;
}

async function answer(
  { method = '', url = '/', headers: { host = '' } }: IncomingMessage,
  response: ServerResponse,
  { files, prometheus, dashboards }: Served,
): Promise<void> {
  if (!READING.has(method)) return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
  if (!OWN_NAMES.test(host)) return void response.writeHead(421, HEADERS).end();
  const [, path, query = ''] = ASKABLE.exec(url) ?? [];
  if (path !== undefined) return await passOn(response, `${addressOf(prometheus)}${path}${query}`);
  const [name = ''] = url.split('?');
  if (name === '/') {
    const { uid } = dashboardWithData(dashboards, await metricNames(prometheus));
    return void response.writeHead(302, { ...HEADERS, location: `/d/${uid}${url.slice(1)}` }).end();
  }
  respondWith(response, files.get(name.startsWith('/d/') ? INDEX : name));
}

function respondWith(response: ServerResponse, content: PageFile | undefined): void {
  if (content === undefined) return void response.writeHead(404, HEADERS).end();
  response.writeHead(200, { ...HEADERS, 'content-type': `${content.type}; charset=utf-8` }).end(content.text);
}

/** The metrics of the last hour; empty if Prometheus does not answer, which the panels then show. */
async function metricNames(prometheus: URL): Promise<ReadonlySet<string>> {
  const since = Math.floor(Date.now() / 1000) - 3600;
  try {
    const url = `${addressOf(prometheus)}/api/v1/label/__name__/values?start=${since}`;
    const answered = await fetch(url, { signal: AbortSignal.timeout(5000) });
    const { data } = JSON.parse(String(await bodyOf(answered))) as { readonly data?: readonly string[] };
    return new Set(data);
  } catch {
    return new Set();
  }
}

function addressOf({ href }: URL): string {
  return href.replace(/\/$/, '');
}

async function passOn(response: ServerResponse, url: string): Promise<void> {
  const json = { ...HEADERS, 'content-type': 'application/json' };
  try {
    const answered = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    const body = await bodyOf(answered);
    if (body === undefined) return refuse('answers more than 32 MiB: choose fewer series or a shorter time');
    response.writeHead(answered.status, json).end(body);
  } catch {
    refuse('does not answer');
  }

  function refuse(problem: string): void {
    const error = `Prometheus at ${new URL(url).origin} ${problem}`;
    response.writeHead(502, json).end(JSON.stringify({ status: 'error', error }));
  }
}

/** Undefined if it is too long. */
async function bodyOf({ body }: Response): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > LONGEST_ANSWER) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
