/** The fate of each span of a process that ends, however little time its sidecar has. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OtlpCapture } from '../support/otlp/otlp-capture.ts';
import { InstalledProject } from '../support/processes/installed-project.ts';

const SPANS = 100;
const SPANS_OF_A_REQUEST = 10;

let project: InstalledProject;
beforeAll(async () => {
  project = await InstalledProject.create();
  await project.write(
    'app.mjs',
    `import { trace } from '@opentelemetry/api';
    // Only then spans are sent in several requests.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const attributes = { text: 'x'.repeat(Number(process.argv[2])) };
    for (let i = 0; i < ${SPANS}; i++) trace.getTracer('app').startSpan('job ' + i, { attributes }).end();
    const end = process.argv[3] ?? 'immediately';
    process.exitCode = 4;
    // Longer than the flush may take.
    if (end === 'later') setTimeout(() => process.exit(), 2000);
    if (end === 'immediately') process.exit();
    if (end === 'by SIGTERM') setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50);`,
  );
});
afterAll(async () => await project[Symbol.asyncDispose]());

function jobsIn(capture: OtlpCapture): readonly string[] {
  return capture.spans().flatMap(({ name }) => (name.startsWith('job') ? [name] : []));
}

/** Runs the process and reads the files that it leaves. */
async function endWithin(
  timeoutMs: number,
  endpoint: string,
  run: (args: string[], env: Environment) => Promise<unknown>,
) {
  const directory = mkdtempSync(path.join(project.folder, 'spool-'));
  const code = await run(['--import', 'siphon-otel/preload', 'app.mjs'], {
    PATH: process.env['PATH'],
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: String(SPANS_OF_A_REQUEST),
    SIPHON_FLUSH_TIMEOUT_MS: String(timeoutMs),
    SIPHON_SPOOL_DIRECTORY: directory,
  });
  expect(code).toBe(4);
  await using files = await OtlpCapture.start();
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.otlp'))) {
    const body = readFileSync(path.join(directory, name));
    const headers = { 'Content-Type': 'application/x-protobuf' };
    await fetch(`${files.url}/v1/traces`, { method: 'POST', headers, body });
  }
  const lost = path.join(directory, `${new URL(endpoint).port}.lost`);
  return { kept: jobsIn(files), counted: existsSync(lost) ? readFileSync(lost, 'utf8').length : 0 };
}

type Environment = Readonly<Record<string, string | undefined>>;

describe.each([1, 50, 100, 200, 500])('within %i ms', (timeoutMs) => {
  it.each([1, 100_000])('each span of %i characters arrives, is kept or counted, once', async (characters) => {
    await using capture = await OtlpCapture.start();
    // This process, and so the server, does nothing until the other has ended.
    const { kept, counted } = await endWithin(timeoutMs, capture.url, async (args, env) => {
      const { status } = spawnSync(process.execPath, [...args, String(characters)], { cwd: project.folder, env });
      return status;
    });
    const fates = (): readonly string[] => [...jobsIn(capture), ...kept];
    await expect.poll(() => fates().length).toBeGreaterThanOrEqual(SPANS - counted * SPANS_OF_A_REQUEST);
    expect(new Set(fates()).size, 'no span twice').toBe(fates().length);
  });
});

it('each span is kept when the sidecar accepts nothing', async () => {
  const busy = createServer(
    (request, response) => void request.resume().on('end', () => response.writeHead(503).end()),
  );
  await once(busy.listen(0, '127.0.0.1'), 'listening');
  const endpoint = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
  const { kept, counted } = await endWithin(8000, endpoint, async (args, env) => {
    const child = spawn(process.execPath, [...args, '1'], { cwd: project.folder, env, stdio: 'ignore' });
    return (await once(child, 'exit'))[0];
  });
  busy.closeAllConnections();
  busy.close();
  expect([new Set(kept).size, counted]).toEqual([SPANS, 0]);
});

it.each([
  ['immediately', [4, null]],
  ['later', [4, null]],
  ['with an empty event loop', [4, null]],
  ['by SIGTERM', [null, 'SIGTERM']],
])('each span counts as lost when the process ends %s and the sidecar reads and never answers', async (end, how) => {
  await using blackHole = await OtlpCapture.start({ answers: false });
  const { kept, counted } = await endWithin(1000, blackHole.url, async (args, env) => {
    const child = spawn(process.execPath, [...args, '1', end], { cwd: project.folder, env, stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual(how);
    return 4;
  });
  expect(kept.length + counted * SPANS_OF_A_REQUEST).toBe(SPANS);
  expect(counted, 'the rest was not sent as a whole').toBeGreaterThan(0);
});
