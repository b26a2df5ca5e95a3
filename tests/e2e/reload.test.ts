import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CountingBackend } from '../support/otlp/counting-backend.ts';
import { batchOfSpans, spanId } from '../support/otlp/otlp-spans.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { siphon } from '../support/processes/run-built-command.ts';
import { wrongAccounts } from '../support/processes/ledger.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

/** `npm run simulate:reload` sets 1000. */
const RELOADS = Number(process.env['SIPHON_RELOADS'] ?? 25);

const folder = mkdtempSync(join(tmpdir(), 'siphon-reload-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Settings {
  readonly backend: string;
  readonly ports: readonly number[];
  readonly number: number;
}

/** A configuration in which every number changes other components, and some add a pipeline. */
function configuration({ backend, ports, number }: Settings): string {
  const [otlp, page, self, health] = ports;
  return `receivers:
  otlp: {max_messages_per_item: ${20_000 + (number % 2)}, protocols: {http: {endpoint: "127.0.0.1:${otlp}"}}}
processors:
  batch: {timeout: ${10 + (number % 3)}ms}
exporters:
  prometheus: {endpoint: "127.0.0.1:${page}"}
  otlp_http: {endpoint: "${backend}", headers: {x-number: "${Math.floor(number / 2)}"}}
  debug: {verbosity: ${number % 4 < 2 ? 'basic' : 'normal'}}
extensions:
  health_check: {endpoint: "127.0.0.1:${health}"}
service:
  extensions: [health_check]
  pipelines:
    metrics: {receivers: [otlp], exporters: [prometheus]}
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp_http]}
${number % 5 === 4 ? '    logs: {receivers: [otlp], exporters: [debug]}\n' : ''}  telemetry:
    logs: {encoding: json, level: info}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${self}}}}}]}
`;
}

async function reloadable(backend: string) {
  const ports = await freePorts(4);
  const config = join(folder, `${ports[0]}.yaml`);
  const pidFile = join(folder, `${ports[0]}.pid`);
  const write = (number: number) => writeFileSync(config, configuration({ backend, ports, number }));
  write(0);
  const sidecar = await Sidecar.start({ configs: [config], freePorts: false, options: ['--pid-file', pidFile] });
  const metrics = `http://127.0.0.1:${ports[2]}/metrics`;
  return {
    sidecar,
    config,
    write,
    text: (number: number) => configuration({ backend, ports, number }),
    otlp: `http://127.0.0.1:${ports[0]}`,
    page: async () => await (await fetch(`http://127.0.0.1:${ports[1]}/metrics`)).text(),
    self: async () => await (await fetch(metrics)).text(),
    command: async () => await siphon(['reload', '--pid-file', pidFile, '--metrics', metrics]),
    [Symbol.asyncDispose]: async () => await sidecar[Symbol.asyncDispose](),
  };
}

const SPANS = batchOfSpans(Array.from({ length: 20 }, (_, index) => ({ spanId: spanId(index + 1) }))).chunks[0]!;

/** A counter of the SDK's default temporality, whose value is the number of requests so far. */
function counterRequest(value: number): string {
  const point = { asInt: String(value), startTimeUnixNano: '1790000000000000000', timeUnixNano: `${Date.now()}000000` };
  const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] };
  return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'requests', sum }] }] }] });
}

/** Sends until `stop`, with a connection for each request. Rejects if a connection or a request is refused. */
function load(otlp: string) {
  const ended = new AbortController();
  let [spans, requests] = [0, 0];
  const sendSpans = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await post(`${otlp}/v1/traces`, SPANS, 'application/x-protobuf');
      spans += 20;
    }
  };
  const sendPoints = async (): Promise<void> => {
    while (!ended.signal.aborted) await post(`${otlp}/v1/metrics`, counterRequest(++requests), 'application/json');
  };
  const sending = Promise.all([sendSpans(), sendSpans(), sendPoints()]);
  return {
    sending,
    stop: async () => {
      ended.abort();
      await sending;
      return { spans, requests };
    },
  };
}

async function post(url: string, body: string | Uint8Array, type: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request(url, { method: 'POST', headers: { 'content-type': type }, agent: false }, (response) => {
    response.resume();
    if (response.statusCode === 200) response.once('end', resolve);
    else reject(new Error(`${url} answered ${response.statusCode}`));
  })
    .once('error', reject)
    .end(body);
  await promise;
}

describe('SIGHUP', () => {
  it(
    `loses no item, refuses no connection and resets no counter in ${RELOADS} reloads under load`,
    async () => {
      await using backend = await CountingBackend.start();
      await using run = await reloadable(backend.url);
      const { sending, stop } = load(run.otlp);
      const seen: number[] = [];
      const reloads = async (): Promise<void> => {
        for (let number = 1; number <= RELOADS; number++) {
          const isBroken = number % 10 === 7;
          if (isBroken) writeFileSync(run.config, 'receivers: {otlp: {protocols: {http: {endpoint: nowhere}}}}');
          else run.write(number);
          run.sidecar.process.kill('SIGHUP');
          await waitFor(async () => reloadsOn(await run.self()) === number, { what: `reload ${number}` });
          seen.push(Number(/^requests_total\{.*\} (\d+)/m.exec(await run.page())?.[1] ?? 0));
        }
      };
      await Promise.race([reloads(), sending.then(() => Promise.reject(new Error('the load ended')))]);
      const { spans, requests } = await stop();
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(await run.page()).toMatch(new RegExp(`^requests_total\\{.*\\} ${requests}$`, 'm'));
      const self = await run.self();
      expect(Number(/^otelcol_receiver_accepted_spans\{.*\} (\d+)$/m.exec(self)?.[1])).toBe(spans);
      expect(Number(/^siphon_config_reloads\{outcome="failed"\} (\d+)$/m.exec(self)?.[1])).toBe(
        Math.floor((RELOADS + 3) / 10),
      );
      expect(self).toMatch(/^siphon_ledger_accepted_items\{account="exporters::otlp_http",.*\} [1-9]/m);
      expect(wrongAccounts(self)).toEqual([]);
      expect(await run.sidecar.stop()).toBe(0);
      expect(backend.spans).toBe(spans);
      process.stdout.write(`${RELOADS} reloads, ${spans} spans and ${requests} points sent, none lost\n`);
    },
    Math.max(60_000, RELOADS * 1000),
  );

  it('replaces servers on their ports when their settings change, and opens a new one', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    await post(`${run.otlp}/v1/metrics`, counterRequest(1), 'application/json');
    const changed = run
      .text(0)
      .replace(/http: \{/, 'grpc: {endpoint: "127.0.0.1:0"}, http: {max_request_body_size: 1000000, ')
      .replace('prometheus: {', 'prometheus: {namespace: reloaded, ')
      .replace('health_check: {', 'health_check: {path: /live, ');
    writeFileSync(run.config, changed);
    expect(await run.command()).toMatchObject({ exitCode: 0 });
    await post(`${run.otlp}/v1/metrics`, counterRequest(2), 'application/json');
    expect(await run.page()).toMatch(/^reloaded_requests_total\{.*\} 2$/m);
    expect((await siphon(['health', '--config', run.config])).exitCode).toBe(0);
    expect(run.sidecar.otlpGrpc).toMatch(/:[1-9]\d*$/);
  });

  it('replaces a component whose password file has changed, and keeps the old one if the file is broken', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    const users = join(folder, 'users');
    writeFileSync(users, 'alice:first');
    const guarded = run
      .text(0)
      .replace('http: {', 'http: {auth: {authenticator: basic_auth}, ')
      .replace('extensions:\n', `extensions:\n  basic_auth: {htpasswd: {file: ${users}}}\n`)
      .replace('[health_check]', '[health_check, basic_auth]');
    writeFileSync(run.config, guarded);
    expect(await run.command()).toMatchObject({ exitCode: 0 });
    const status = async (password: string): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
      return (await fetch(`${run.otlp}/v1/traces`, { method: 'POST', headers: { authorization } })).status;
    };
    expect([await status('first'), await status('second')]).toEqual([415, 401]);
    writeFileSync(users, 'alice:second');
    expect(await run.command()).toMatchObject({ exitCode: 0 });
    expect([await status('first'), await status('second')]).toEqual([401, 415]);
    writeFileSync(users, 'no colon');
    expect(await run.command()).toMatchObject({ exitCode: 1 });
    expect([await status('first'), await status('second')]).toEqual([401, 415]);
  });

  it('keeps the old configuration if a port of the new one is in use', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    const taken = new URL(backend.url).port;
    writeFileSync(run.config, run.text(1).replace('health_check: {', `health_check/second: {endpoint: "127.0.0.1:${taken}"}\n  health_check: {`).replace('[health_check]', '[health_check, health_check/second]')); // prettier-ignore
    expect(await run.command()).toMatchObject({ exitCode: 1 });
    await post(`${run.otlp}/v1/traces`, SPANS, 'application/x-protobuf');
    expect((await siphon(['health', '--config', run.config])).exitCode).toBe(0);
    run.write(2);
    expect(await run.command()).toMatchObject({ exitCode: 0 });
  });

  it('does not end a sidecar that reads its configuration, and leads to a reload after the start', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    await run.sidecar.stop();
    const pipe = join(folder, 'pipe.yaml');
    execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', pipe]);
    const pid = join(folder, 'pipe.pid');
    // The process that becomes the sidecar.
    const starting = Sidecar.start({ configs: [pipe], freePorts: false, before: `echo $$ > ${pid}` });
    // Opens when the sidecar reads it.
    const file = await open(pipe, 'w');
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGHUP');
    await file.writeFile(run.text(0));
    await file.close();
    await using sidecar = await starting;
    // Before, it could be read as the end of the first text.
    await writeFile(pipe, run.text(4));
    const { started } = await sidecar.waitForLog('Configuration is reloaded');
    expect(started).toContain('exporters::debug');
  });

  it('changes nothing if the file has a mistake, and logs its line', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    writeFileSync(run.config, 'receivers:\n  otlp: {protocols: {http: {endpoint: nowhere}}}');
    run.sidecar.process.kill('SIGHUP');
    const { err } = await run.sidecar.waitForLog('Configuration is not reloaded; the old one stays in use');
    expect((err as { message: string }).message).toMatch(/\.yaml:2 receivers::otlp::protocols::http::endpoint/);
    await post(`${run.otlp}/v1/traces`, SPANS, 'application/x-protobuf');
  });
});

describe('siphon reload', () => {
  it('reports the outcome with its exit code', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    run.write(1);
    expect(await run.command()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/uses the new config/) });
    writeFileSync(run.config, 'receivers: []');
    expect(await run.command()).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/keeps its old config/) });
    await run.sidecar.stop();
    expect(await run.command()).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/cannot be read/) });
  });

  it('does not signal a process that SIGHUP would end', async () => {
    const { exitCode, stderr } = await siphon(['reload', '--pid', String(process.pid)]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `process ${process.pid} does not handle SIGHUP, so it is not siphon\n`,
    });
    expect((await siphon(['reload', '--pid', 'x'])).exitCode).toBe(2);
    expect((await siphon(['reload'])).exitCode).toBe(2);
  });
});

describe('siphon health', () => {
  it('exits 0 while the sidecar of the configuration runs, otherwise 1', async () => {
    await using backend = await CountingBackend.start();
    await using run = await reloadable(backend.url);
    const health = async () => await siphon(['health', '--config', run.config]);
    expect(await health()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/is healthy/) });
    await run.sidecar.stop();
    expect(await health()).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/ECONNREFUSED/) });
    expect((await siphon(['health', '--url', 'x'])).exitCode).toBe(2);
  });
});

function reloadsOn(page: string): number {
  const counts = [...page.matchAll(/^siphon_config_reloads\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}
