/**
 * `npm run record:sentry-sdk`: runs the service `orders.mjs` with Sentry's own SDK, which it installs into a temporary
 * folder, and writes what that sends to `sentry-sdk.json`. Needs a registry.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTestPostgres } from '../postgres/test-postgres.ts';
import { aspectsOf } from './aspects.ts';
import { EnvelopeCapture } from './envelope-capture.ts';
import { runOrders } from './run-orders.ts';

const SDK = '@sentry/node@11.12.0';

/** `static` sends transactions, which both clients can send. */
const PRELOAD = `
import * as Sentry from '@sentry/node';
Sentry.init({
  dsn: process.env.SENTRY_DSN,
  tracesSampleRate: Number(process.env.RATE),
  traceLifecycle: 'static',
  release: 'orders@1.2.3',
  environment: 'test',
});
`;

const folder = mkdtempSync(path.join(tmpdir(), 'siphon-sentry-sdk-'));
try {
  const preload = path.join(folder, 'preload.mjs');
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  writeFileSync(preload, PRELOAD);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', SDK], {
    cwd: folder,
    stdio: 'inherit',
  });
  await using postgres = await startTestPostgres({ schema: false });
  await using sampled = await EnvelopeCapture.start();
  await using unsampled = await EnvelopeCapture.start();
  await runOrders(preload, { DATABASE_URL: postgres.url, SENTRY_DSN: sampled.dsn, RATE: '1' });
  await runOrders(preload, { DATABASE_URL: postgres.url, SENTRY_DSN: unsampled.dsn, RATE: '0' });
  const recorded = { sdk: SDK, aspects: aspectsOf(sampled, unsampled) };
  writeFileSync(new URL('sentry-sdk.json', import.meta.url), `${JSON.stringify(recorded, undefined, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
