import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shipped } from '../../../tests/support/dashboards/shipped.ts';
import { runCommand } from '../../../tests/support/processes/run-command.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'siphon-export-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const uids = shipped.dashboards.map(({ uid }) => uid);

const shippedText = async (uid: string): Promise<string> =>
  await readFile(new URL(`../../../dashboards/grafana/${uid}.json`, import.meta.url), 'utf8');

const exportRules = async (settings?: string): Promise<Awaited<ReturnType<typeof runCommand>>> => {
  const args = ['dashboards', 'export', '--form', 'prometheus', '--dir', path.join(folder, 'rules')];
  if (settings === undefined) return await runCommand(args);
  await writeFile(path.join(folder, 'settings.yaml'), settings);
  return await runCommand([...args, '--settings', path.join(folder, 'settings.yaml')]);
};
const rulesIn = async (file: string): Promise<string> => await readFile(path.join(folder, 'rules', file), 'utf8');

describe('siphon dashboards export', () => {
  it('writes all dashboards, also into a folder that does not exist', async () => {
    const dir = path.join(folder, 'deep/er');
    const { exitCode, errors } = await runCommand(['dashboards', 'export', '--dir', dir]);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect((await readdir(dir)).toSorted()).toEqual(uids.map((uid) => `${uid}.json`).toSorted());
    for (const uid of uids) {
      expect(await readFile(path.join(dir, `${uid}.json`), 'utf8')).toBe(await shippedText(uid));
    }
    const again = await runCommand(['dashboards', 'export', '--dir', dir, '--form', 'grafana']);
    expect(again.printed).toContain('4 dashboards, 0 of them written');
  });

  it('replaces an older one of its own, and touches no other file', async () => {
    await runCommand(['dashboards', 'export', '--dir', folder]);
    const other = path.join(folder, 'siphon-roaster.json');
    const before = await stat(other);
    const file = path.join(folder, 'siphon-prices.json');
    await writeFile(file, JSON.stringify({ uid: 'siphon-prices', tags: ['siphon-otel'], title: 'older' }));
    const { printed } = await runCommand(['dashboards', 'export', '--dir', folder]);
    expect(printed).toContain('1 of them written');
    expect(await readFile(file, 'utf8')).toBe(await shippedText('siphon-prices'));
    expect((await stat(other)).mtimeMs).toBe(before.mtimeMs);
  });

  it.each(['{"title": "mine"}', 'no JSON', 'null'])('never overwrites what is not its own: %s', async (text) => {
    const file = path.join(folder, 'siphon-prices.json');
    await writeFile(file, text);
    const { exitCode, errors } = await runCommand(['dashboards', 'export', '--dir', folder]);
    expect(exitCode).toBe(1);
    expect(errors).toBe(`${file} is there and not one of siphon's; nothing was written`);
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
    [['--dir', 'x', '--form', 'perses'], '--form is perses, but must be grafana or prometheus'],
    [['--dir', 'x', '--settings', 'y'], '--settings needs --form prometheus'],
  ])('refuses %s', async (args, message) => {
    const { exitCode, errors } = await runCommand(['dashboards', 'export', ...args]);
    expect(exitCode).toBe(2);
    expect(errors).toContain(message);
  });
});

describe('siphon dashboards export --form prometheus', () => {
  it('writes the rules as they are shipped, and replaces its own', async () => {
    expect((await exportRules()).printed).toContain('2 files of rules, 2 of them written');
    for (const file of ['recording.yaml', 'alerts.yaml']) {
      const url = new URL(`../../../dashboards/prometheus/${file}`, import.meta.url);
      expect(await rulesIn(file)).toBe(await readFile(url, 'utf8'));
    }
    expect((await exportRules('alerts: {Watchdog: {for: 1h}}')).printed).toContain('1 of them written');
  });

  it('takes links, limits and times from the settings', async () => {
    const { errors } = await exportRules(`
links: {grafana: https://grafana.example.com/, sentry: https://my.sentry.io}
alerts:
  FetchErrors: {warning: 0.1, critical: off}
  FetchSlow: {critical: 120}
  HealthScoreLow: {critical: 45}
  PriceSpikes: false
  RunFailed: {for: 2h}
`);
    expect(errors).toBe('');
    const text = await rulesIn('alerts.yaml');
    expect(text).toContain('https://grafana.example.com/d/siphon-pipeline?');
    expect(text).toContain('sentry_url: https://my.sentry.io/issues/');
    expect(text).toContain('>= 0.1) and on (source)');
    expect(text).toContain('(limit 10%)');
    expect(text.match(/alert: FetchErrors/g)).toHaveLength(1);
    expect(text).toContain('component="total"}) < 45');
    expect(text).toContain('source:fetch_latency_seconds:p95_6h >= 120');
    expect(text).not.toContain('alert: PriceSpikes');
    expect(text).toMatch(/RunFailed\n.*\n +for: 2h/);
  });

  it.each([
    ['alerts: {FetchError: {warning: 1}}', 'alerts.FetchError: there is no such alert'],
    ['alerts: {FetchErrors: {warning: high}}', 'alerts.FetchErrors.warning must be a number or off, but is a string'],
    ['alerts: {FetchErrors: {warning: .nan}}', 'alerts.FetchErrors.warning must be a number or off, but is NaN'],
    [
      'alerts: {FetchErrors: {limit: 1}}',
      'alerts.FetchErrors.limit is not known here; there are for, warning, critical',
    ],
    ['alerts: {FetchErrors: {warning: 0.5}}', 'critical (0.2) must be worse than warning (0.5)'],
    ['alerts: {HealthScoreLow: {warning: 20}}', 'critical (30) must be worse than warning (20)'],
    [
      'alerts: {FetchSlow: {warning: 60, critical: 121}}',
      'alerts.FetchSlow.critical must be at most 120, the last bound of the histogram, but is 121',
    ],
    [
      'alerts: {FetchSlow: {warning: 300, critical: off}}',
      'alerts.FetchSlow.warning must be at most 120, the last bound of the histogram, but is 300',
    ],
    ['alerts: {RunFailed: {warning: 1}}', 'alerts.RunFailed has no threshold'],
    ['alerts: {RunFailed: {for: soon}}', 'alerts.RunFailed.for must be a duration such as 90s, 5m or 1h'],
    ['alerts: [FetchErrors]', 'alerts must be a mapping, but is a list'],
    ['links: {grafana: somewhere}', 'links.grafana must be an address such as https://grafana.example.com'],
    ['links: {slack: https://x}', 'links.slack is not known here; there are grafana, runbooks, sentry'],
    ['thresholds: {}', 'thresholds is not known here; there are links, alerts'],
    ['- a', 'the file must be a mapping, but is a list'],
    ['a: [', 'is not valid YAML'],
  ])('writes nothing for %s, and says what is wrong', async (settings, message) => {
    const { exitCode, errors } = await exportRules(settings);
    expect(exitCode).toBe(1);
    expect(errors).toContain(`${path.join(folder, 'settings.yaml')}: `);
    expect(errors).toContain(message);
    expect(errors).toContain('nothing was written');
    expect(await readdir(folder)).toEqual(['settings.yaml']);
  });

  it('names every problem at once, and never overwrites rules of somebody else', async () => {
    const { errors } = await exportRules('alerts: {One: {}, RunFailed: {for: x}}');
    expect(errors.split('\n')).toHaveLength(3);
    await mkdir(path.join(folder, 'rules'));
    await writeFile(path.join(folder, 'rules', 'alerts.yaml'), 'groups: []');
    expect((await exportRules()).errors).toContain("alerts.yaml is there and not one of siphon's; nothing was written");
    expect(await readdir(path.join(folder, 'rules'))).toEqual(['alerts.yaml']);
  });
});

it('siphon dashboards alone is no command, and the list names both', async () => {
  const { exitCode, errors } = await runCommand(['dashboards']);
  expect(exitCode).toBe(2);
  expect(errors).toContain('dashboards export');
  expect(errors).toContain('dashboards push');
});
