import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { componentFactories } from '../components/index.ts';
import { packs as builtInPacks } from '../packs/index.ts';
import { runCli } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'siphon-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIG = `receivers:
  db_poller:
    datasource: postgresql://127.0.0.1:1/none
    packs: {postgres_health: {}}
exporters: {debug: }
service:
  pipelines:
    metrics: {receivers: [db_poller], exporters: [debug]}
`;

async function doctor(hasColours: boolean): Promise<{ shown: string[]; printed: string[]; order: string[] }> {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, CONFIG);
  const [shown, printed, order]: [string[], string[], string[]] = [[], [], []];
  await runCli(['doctor', '--config', path], {
    environment: {},
    version: '0',
    factories: componentFactories(builtInPacks),
    loadPacks: async () => [],
    packs: builtInPacks,
    checkPackFile: async () => [],
    print: (text) => void (printed.push(text), order.push('line')),
    printError: () => undefined,
    hasColours,
    showProgress: (text) => void (shown.push(text), order.push(text === '' ? 'clear' : 'progress')),
  });
  return { shown, printed, order };
}

it('shows what is being looked at, and takes that away before it prints a line', async () => {
  const { shown, order } = await doctor(false);
  expect(shown).toContain('receivers::db_poller: connects …');
  for (const [i, what] of order.entries()) if (what === 'line') expect(order[i - 1]).not.toBe('progress');
});

it('has colours only where they are wanted, and marks with them how bad it is', async () => {
  const [plain] = (await doctor(false)).printed;
  const [coloured] = (await doctor(true)).printed;
  expect(plain).toMatch(/^error {4}receivers::db_poller {2}cannot connect/);
  expect(coloured).toBe(plain!.replace('error  ', styleText('red', 'error  ', { validateStream: false })));
});
