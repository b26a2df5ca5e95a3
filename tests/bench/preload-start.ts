/** Measures the overhead of the preload for a service: start time and CPU per request. Run after `npm run build`. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const STARTS = 9;
const REQUEST_RUNS = 5;
const REQUESTS = 4000;

const preload = fileURLToPath(new URL('../../dist/sdk/preload.cjs', import.meta.url));
const variants = { bare: [], '--import': ['--import', preload], '-r': ['-r', preload] } as const;

/** Milliseconds from the start of the process to the application's first line. */
const startScript = `console.log(process.uptime() * 1000); process.reallyExit(0);`;

/** Microseconds of CPU per request. One process is both the client and the server. */
const requestScript = `
  const server = require('node:http').createServer((request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port;
    const ask = async (count) => { for (let i = 0; i < count; i++) await (await fetch(url)).text(); };
    await ask(${REQUESTS / 4});
    const before = process.cpuUsage();
    await ask(${REQUESTS});
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / ${REQUESTS});
    process.reallyExit(0);
  });`;

/** Receives the telemetry in a separate process. The service pays for encoding and sending it, not for receiving it. */
const sinkScript = `
  const server = require('node:http').createServer((request, response) => request.resume().on('end', () => response.end()));
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

const folder = mkdtempSync(path.join(tmpdir(), 'siphon-bench-'));
const sink = spawn(process.execPath, ['-e', sinkScript], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [port] = (await once(sink.stdout, 'data')) as [Buffer];
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${String(port).trim()}`;
  const starts = measure('start.cjs', startScript, STARTS);
  const requests = measure('requests.cjs', requestScript, REQUEST_RUNS);
  for (const name of ['bare', '--import', '-r'] as const) {
    const [startMs, requestUs] = [median(starts[name]), median(requests[name])];
    const addedUs = requestUs - median(requests.bare);
    process.stdout.write(
      `${name.padEnd(9)} start ${startMs.toFixed(0).padStart(4)} ms   request and answer ${requestUs.toFixed(0).padStart(4)} µs CPU` +
        (name === 'bare' ? '\n' : `   added ${addedUs.toFixed(0)} µs, ${(addedUs / 50).toFixed(1)} % of 5 ms\n`),
    );
  }
} finally {
  sink.kill();
  rmSync(folder, { recursive: true });
}

type Measured = Record<keyof typeof variants, number[]>;

/** The variants take turns, because other activity on the machine should affect all of them equally. */
function measure(file: string, script: string, rounds: number): Measured {
  writeFileSync(path.join(folder, file), script);
  const measured: Measured = { bare: [], '--import': [], '-r': [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ['bare', '--import', '-r'] as const) {
      const output = execFileSync(process.execPath, [...variants[name], path.join(folder, file)], { encoding: 'utf8' });
      measured[name].push(Number(output));
    }
  }
  return measured;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
