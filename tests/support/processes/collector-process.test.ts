import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitFor } from '../wait-for.ts';

const MODULE = new URL('./collector-process.ts', import.meta.url).href;

/** Starts siphon and would wait for a minute; a signal ends it as it ends the bench. */
const PROGRAM = `
  const { CollectorProcess, siphonFromSource } = await import(${JSON.stringify(MODULE)});
  process.once('SIGTERM', () => process.exit(1));
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:0' } } } },
    exporters: { debug: {} },
    service: { telemetry: { metrics: { level: 'none' } }, pipelines: { metrics: { receivers: ['otlp'], exporters: ['debug'] } } },
  };
  const { pid } = await CollectorProcess.start(siphonFromSource, config);
  console.log(pid);
  setTimeout(() => {}, 60_000);`;

test('who is stopped by a signal leaves neither the program under test nor its folder behind', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'siphon-test-'));
  try {
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(starter.stdout, 'data')) as [Buffer];
    const pid = Number(printed.toString());
    expect(isRunning(pid)).toBe(true);
    expect(await readdir(temporary)).toHaveLength(1);
    starter.kill('SIGTERM');
    await once(starter, 'exit');
    expect(await readdir(temporary)).toEqual([]);
    await waitFor(() => !isRunning(pid), { what: 'siphon to be gone' });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
