import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCommand } from '../../tests/support/processes/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'siphon-read-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIG = `
receivers: { otlp: { protocols: { http: } } }
exporters: { debug: }
service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }
`;

it('reads the locations of the Collector: file:, env: and yaml:', async () => {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, CONFIG);
  const yaml = 'yaml:exporters::debug::verbosity: Detailed';
  for (const first of [path, `file:${path}`, 'env:CONFIG', `yaml:${CONFIG}`]) {
    const ran = await runCommand(['print-config', '--config', first, '--config', yaml], { CONFIG });
    expect(ran, first).toMatchObject({ exitCode: 0, printed: expect.stringContaining('verbosity: Detailed') });
  }
});

it.each([
  ['env:GONE', 'env:GONE: environment variable GONE is not set'],
  ['http://127.0.0.1/c.yaml', 'http: is not supported: use a file, file:PATH, env:VARIABLE or yaml:TEXT'],
  ['file:/none/c.yaml', 'file:/none/c.yaml: does not exist'],
  ['yaml:a: [secret', 'yaml:1: is not valid YAML'],
])('reports the problem with %s', async (location, message) => {
  const { exitCode, errors } = await runCommand(['validate', '--config', location]);
  expect(exitCode).toBe(1);
  expect(errors).toContain(message);
  expect(errors).not.toContain('secret');
});
