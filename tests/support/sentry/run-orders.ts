import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const service = fileURLToPath(new URL('orders.mjs', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A trace that Sentry's SDK in a browser has begun. */
export const browser = {
  traceId: '0123456789abcdef'.repeat(2),
  context: 'sentry-environment=production,sentry-sample_rate=0.25,sentry-public_key=abc,sentry-sampled=true',
} as const;

const PATHS = [
  '/users/42',
  '/users/7',
  '/orders/1/items',
  '/search?token=s3cret-query',
  '/late',
  '/bad-sql',
  '/fail',
  '/reject',
  '/missing',
];

/** Runs the service with a preload and sends it nine requests, the second of them from a browser. Resolves at its end. */
export async function runOrders(preload: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, ['--import', preload, service], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = once(child, 'exit');
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const fromBrowser = {
    'sentry-trace': `${browser.traceId}-${'a'.repeat(16)}-1`,
    baggage: `${browser.context},sentry-trace_id=${browser.traceId}`,
  };
  for (const path of PATHS) {
    const headers = path === '/users/7' ? fromBrowser : {};
    const request = get({ host: '127.0.0.1', port: Number(port), path, headers, agent: false });
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
    await once(response.resume(), 'end');
  }
  // For the work after a response.
  await sleep(500);
  child.stdin.end();
  await exit;
}
