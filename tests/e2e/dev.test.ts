/** `siphon dev`: the command behaves as without it, and the console shows what it does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { waitFor } from '../support/wait-for.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 120_000;

interface Running {
  readonly pid: number;
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
  kill(signal: NodeJS.Signals): void;
}

function dev(...commandLine: readonly string[]): Running {
  const child = spawn(process.execPath, [path.join(root, 'dist/main.js'), 'dev', ...commandLine], {
    cwd: root,
    env: { PATH: process.env['PATH'], OTEL_SERVICE_NAME: 'shop' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    pid: child.pid as number,
    output: () => output,
    errors: () => errors,
    ended,
    kill: (signal) => void child.kill(signal),
  };
}

const node = (script: string): readonly string[] => ['--', process.execPath, '--input-type=module', '--eval', script];

it('shows traces and logs of the command in the console, and ends with it', { timeout: TIMEOUT_MS }, async () => {
  const running = dev(
    ...node(`
      import http from 'node:http';
      import pino from 'pino';
      const log = pino(pino.destination('/dev/null'));
      const server = http.createServer((_, response) => {
        log.info('served');
        response.end();
      });
      server.listen(0, '127.0.0.1', () => {
        const ask = () => fetch('http://127.0.0.1:' + server.address().port + '/cart').then((answer) => answer.text());
        setInterval(ask, 200);
        process.stdout.write('serving\\n');
      });
      process.once('SIGTERM', () => process.exit(7));
    `),
  );
  const address = await waitFor(() => /siphon console: (http:\S+)\//.exec(running.errors())?.[1], {
    what: 'the address of the console',
    timeoutMs: 60_000,
  });
  const answer = async (query: string): Promise<Record<string, readonly { readonly service: string }[]>> =>
    (await (await fetch(`${address}/api/${query}`)).json()) as Record<string, readonly { readonly service: string }[]>;
  await waitFor(async () => (await answer('traces?operation=GET*'))['traces']?.[0]?.service === 'shop', {
    what: 'a trace',
    timeoutMs: 60_000,
  });
  await waitFor(async () => ((await answer('logs?text=served'))['logs']?.length ?? 0) > 0, {
    what: 'a log line',
    timeoutMs: 60_000,
  });
  const asBrowser = { headers: { accept: 'text/html' } };
  expect((await fetch(`${address}/traces`, asBrowser)).headers.get('content-type')).toContain('text/html');
  running.kill('SIGTERM');
  expect(await running.ended).toEqual([7, null]);
  expect(running.output()).toBe('serving\n');
  await expect(fetch(address)).rejects.toThrow();
});

it('ends the command if siphon is killed', { timeout: TIMEOUT_MS }, async () => {
  const running = dev(
    ...node(`
      setInterval(() => undefined, 1000);
      process.once('SIGTERM', () => process.stdout.write('asked to end\\n', () => process.exit()));
      process.stdout.write('serving\\n');
    `),
  );
  await waitFor(() => running.output() === 'serving\n', { what: 'the command', timeoutMs: 60_000 });
  running.kill('SIGKILL');
  // The output is closed when both have ended.
  await running.ended;
  expect(running.output()).toBe('serving\nasked to end\n');
});

it.each([
  ['exits with its exit code', ['--', process.execPath, '--eval', 'process.exit(3)'], [3, null]],
  ['ends by its signal', ['--', process.execPath, '--eval', 'process.kill(process.pid, "SIGKILL")'], [null, 'SIGKILL']],
  ['exits 127 if the command does not exist', ['--', 'no-such-command-here'], [127, null]],
  ['refuses a call without a command', [], [2, null]],
])('%s', { timeout: TIMEOUT_MS }, async (_, args, end) => {
  const running = dev(...args);
  expect(await running.ended).toEqual(end);
});
