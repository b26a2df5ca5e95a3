import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dashboardUids } from '../../../src/dashboards/model/dashboard.ts';
import { runCommand } from '../../support/cli.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'siphon-export-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const shipped = async (form: string, uid: string): Promise<string> =>
  await readFile(new URL(`../../../dashboards/${form}/${uid}.json`, import.meta.url), 'utf8');

describe('siphon dashboards export', () => {
  it.each(['grafana', 'grafana-v2', 'model'])(
    'writes all dashboards in the form %s, also into a folder that is not there',
    async (form) => {
      const dir = path.join(folder, 'deep/er');
      const { exitCode, errors } = await runCommand(['dashboards', 'export', '--dir', dir, '--form', form]);
      expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
      expect((await readdir(dir)).toSorted()).toEqual(dashboardUids.map((uid) => `${uid}.json`).toSorted());
      for (const uid of dashboardUids) {
        expect(await readFile(path.join(dir, `${uid}.json`), 'utf8')).toBe(await shipped(form, uid));
      }
      const again = await runCommand(['dashboards', 'export', '--dir', dir, '--form', form]);
      expect(again.printed).toContain('4 dashboards, 0 of them written');
    },
  );

  it('replaces an older one of its own, and touches no other file', async () => {
    await runCommand(['dashboards', 'export', '--dir', folder]);
    const other = path.join(folder, 'siphon-roaster.json');
    const before = await stat(other);
    const file = path.join(folder, 'siphon-prices.json');
    await writeFile(file, JSON.stringify({ uid: 'siphon-prices', tags: ['siphon-otel'], title: 'older' }));
    const { printed } = await runCommand(['dashboards', 'export', '--dir', folder]);
    expect(printed).toContain('1 of them written');
    expect(await readFile(file, 'utf8')).toBe(await shipped('grafana', 'siphon-prices'));
    expect((await stat(other)).mtimeMs).toBe(before.mtimeMs);
  });

  it.each(['{"title": "mine"}', 'no JSON', 'null'])('never overwrites what is not its own: %s', async (text) => {
    const file = path.join(folder, 'siphon-prices.json');
    await writeFile(file, text);
    const { exitCode, errors } = await runCommand(['dashboards', 'export', '--dir', folder]);
    expect(exitCode).toBe(1);
    expect(errors).toBe(`${file} is there and not one of siphon's dashboards; nothing was written`);
    expect(await readdir(folder)).toEqual(['siphon-prices.json']);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('names what is in the way of the folder', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    const { exitCode, errors } = await runCommand(['dashboards', 'export', '--dir', path.join(file, 'inside')]);
    expect(exitCode).toBe(1);
    expect(errors).toContain('ENOTDIR');
  });

  it.each([
    [[], '--dir DIR is missing'],
    [['--dir', 'x', '--form', 'perses'], '--form is perses, but must be one of grafana, grafana-v2, model'],
  ])('refuses %s', async (args, message) => {
    const { exitCode, errors } = await runCommand(['dashboards', 'export', ...args]);
    expect(exitCode).toBe(2);
    expect(errors).toContain(message);
  });
});

it('siphon dashboards alone is no command, and the list names both', async () => {
  const { exitCode, errors } = await runCommand(['dashboards']);
  expect(exitCode).toBe(2);
  expect(errors).toContain('dashboards export');
  expect(errors).toContain('dashboards push');
});
