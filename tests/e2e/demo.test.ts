import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../examples/postgres/embedded-postgres.ts';
import { applySchema } from '../../examples/coffee/database/schema.ts';
import { DemoProcess, projectRoot } from '../support/processes/demo-process.ts';
import { runSql } from '../support/postgres/test-postgres.ts';
import { waitFor } from '../support/wait-for.ts';

describe('npm run demo -- --once', () => {
  it('checks that all data of the pipeline has arrived, prints the checks, and takes under 60 s', async () => {
    const began = performance.now();
    const { exitCode, output } = await demo(['--once']);
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/artifacts_total, as artifacts in the database +\d+ +\d+ +ok/);
    expect(output).toContain('all data has arrived');
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  it('works again on the same database and keeps its rows', async () => {
    await using postgres = await startEmbeddedPostgres();
    const counts: number[] = [];
    for (const _ of ['first', 'second']) {
      const { exitCode, output } = await demo(['--once'], { DATABASE_URL: postgres.url });
      expect(exitCode, output).toBe(0);
      const [row] = await runSql(postgres.url, 'select count(*)::int as prices from prices');
      counts.push(Number(row!['prices']));
    }
    expect(counts[1]).toBeGreaterThan(counts[0]!);
  });

  it('names missing data and exits 1', async () => {
    await using postgres = await startEmbeddedPostgres();
    await applySchema(postgres.url);
    // Makes every insert of a price fail, so that no run reports prices.
    await runSql(postgres.url, 'alter table prices add constraint full_up check (false) not valid');
    const { exitCode, output } = await demo(['--once'], { DATABASE_URL: postgres.url });
    expect(exitCode).toBe(1);
    expect(output).toMatch(/series of price_deltas_total +0 +at least 1 +MISSING/);
    expect(output).toMatch(/demo: missing data: .*series of price_deltas_total/);
  });

  it('refuses a database with other tables and does not change it', async () => {
    await using postgres = await startEmbeddedPostgres();
    await runSql(postgres.url, 'create table scrape_runs (id int)');
    const { exitCode, output } = await demo(['--once'], { DATABASE_URL: postgres.url });
    expect(exitCode).toBe(1);
    expect(output).toContain('its table scrape_runs belongs to another application');
    expect(output).not.toContain(new URL(postgres.url).password);
    expect(await runSql(postgres.url, `select to_regclass('roasters') as roasters`)).toEqual([{ roasters: null }]);
  });
});

describe('npm run demo -- fault', () => {
  it.each([
    [
      ['fault', 'no_such_fault', 'on'],
      2,
      /unknown fault \u201Cno_such_fault\u201D; valid faults: store_down, slow_store/,
    ],
    [['fault', 'store_down'], 2, /expected on or off after store_down/],
    [['start'], 2, /unknown command/],
    [['--twice'], 2, /Unknown option '--twice'/],
    [['fault', 'store_down', 'on'], 1, /no demo is running: start one with/],
  ])('%j exits %d', async (args, code, message) => {
    const place = await mkdtemp(join(tmpdir(), 'siphon-empty-'));
    const { exitCode, output } = await demo(args, { TMPDIR: place });
    await rm(place, { recursive: true });
    expect([exitCode, output]).toEqual([code, expect.stringMatching(message)]);
  });
});

describe('a running demo', () => {
  it('switches a fault, confirms it in one line, and ends within 3 s after SIGINT without leaving anything', async () => {
    await using running = await DemoProcess.start();
    const { exitCode, output } = await demo(['fault', 'price_spike', 'on'], { TMPDIR: running.place });
    expect([exitCode, output]).toEqual([0, 'price_spike is on: prices jump by 60 %; watch price_spike_alerts_total\n']);
    await waitFor(() => running.output.includes('| no fault') || running.output.includes('| price_spike'), {
      what: 'a line of the view',
    });

    const began = performance.now();
    expect(await running.end('SIGINT')).toBe(0);
    expect(performance.now() - began).toBeLessThan(3000);
    expect(running.output).toMatch(/ending\u2026[^]*ended the pipeline[^]*ended the sidecar[^]*ended PostgreSQL/);
    await running.expectNothingLeft();
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves nothing after %s', async (signal) => {
    await using running = await DemoProcess.start();
    await running.end(signal);
    await running.expectNothingLeft();
  });

  it('leaves nothing after a second SIGINT, which ends it immediately', async () => {
    await using running = await DemoProcess.start();
    running.process.kill('SIGINT');
    await waitFor(() => running.output.includes('ending\u2026'), { what: 'the start of the shutdown' });
    await running.end('SIGINT');
    await running.expectNothingLeft();
  });

  it.each([
    ['dist/main.js run', 'sidecar ended with SIGKILL'],
    ['examples/coffee/pipeline/main.ts', 'pipeline ended with SIGKILL'],
    ['postgres -D', 'PostgreSQL ended unexpectedly'],
  ])('exits 1 when %s is killed, names it, and leaves nothing', async (command, message) => {
    await using running = await DemoProcess.start();
    process.kill(running.partWith(command), 'SIGKILL');
    expect(await running.exitCode).toBe(1);
    expect(running.output).toContain(`demo: ${message}`);
    await running.expectNothingLeft();
  });
});

function demo(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ exitCode: number; output: string }>((resolve) => {
    const options = { cwd: projectRoot, env: { PATH: process.env['PATH'], ...env } };
    execFile(process.execPath, ['examples/coffee/main.ts', ...args], options, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}
