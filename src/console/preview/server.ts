/** Serves the page, and passes on to a Prometheus what the page asks it. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { PlainDashboard } from '../../dashboards/model/plain.ts';

export interface PreviewOptions {
  readonly prometheus: URL;
  readonly dashboards: readonly PlainDashboard[];
  /** How often Prometheus scrapes. */
  readonly scrapeS: number;
  /** Where traces are, as in a browser: `https://<organisation>.sentry.io`. */
  readonly sentry?: URL | undefined;
  /** 0 for any that is free. */
  readonly port: number;
}

interface Content {
  readonly type: string;
  readonly body: string;
}

const HOST = '127.0.0.1';

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

export async function startPreview(options: PreviewOptions): Promise<Server> {
  const files = await filesOf(options);
  const server = createServer((request, response) => {
    void answer(request, response, { files, prometheus: options.prometheus });
  });
  server.listen(options.port, HOST);
  await once(server, 'listening');
  return server;
}

async function filesOf({ dashboards, scrapeS, sentry }: PreviewOptions): Promise<ReadonlyMap<string, Content>> {
  const page = fileURLToPath(new URL('../page/', import.meta.url));
  const uplot = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css');
  const styles = [uplot, `${page}console.css`].map((file) => readFileSync(file, 'utf8'));
  return new Map([
    ['/', { type: 'text/html', body: readFileSync(`${page}index.html`, 'utf8') }],
    ['/console.css', { type: 'text/css', body: styles.join('\n') }],
    ['/console.js', { type: 'text/javascript', body: await bundled(`${page}main.ts`) }],
    [
      '/settings.json',
      { type: 'application/json', body: JSON.stringify({ dashboards, scrapeS, sentry: sentry?.href }) },
    ],
  ]);
}

async function bundled(input: string): Promise<string> {
  const bundle = await rolldown({ input, platform: 'browser', tsconfig: false });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  return output[0].code;
}

async function answer(
  { method, url = '/', headers }: IncomingMessage,
  response: ServerResponse,
  { files, prometheus }: { readonly files: ReadonlyMap<string, Content>; readonly prometheus: URL },
): Promise<void> {
  if (method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  if (!OWN_NAMES.test(headers.host ?? '')) return void response.writeHead(421, HEADERS).end();
  const [, path, query = ''] = ASKABLE.exec(url) ?? [];
  if (path !== undefined) return await passOn(response, `${prometheus.href.replace(/\/$/, '')}${path}${query}`);
  const [name = '/'] = url.split('?');
  const content = files.get(name.startsWith('/d/') ? '/' : name);
  if (content === undefined) return void response.writeHead(404, HEADERS).end();
  response.writeHead(200, { ...HEADERS, 'content-type': `${content.type}; charset=utf-8` }).end(content.body);
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
