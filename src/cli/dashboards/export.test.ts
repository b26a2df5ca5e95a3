import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shipped } from '../../../tests/support/dashboards/shipped.ts';
import { runCommand } from '../../../tests/support/processes/run-command.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'siphon-export-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const uids = shipped.dashboards.map(({ uid }) => uid);

const shippedText = async (uid: string): Promise<string> =>
  await readFile(new URL(`../../../dashboards/grafana/${uid}.json`, import.meta.url), 'utf8');

const exportRules = async (settings?: string, ...more: string[]): Promise<Awaited<ReturnType<typeof runCommand>>> => {
  const args = ['dashboards', 'export', '--form', 'prometheus', '--dir', path.join(folder, 'rules'), ...more];
  if (settings === undefined) return await runCommand(args);
  await writeFile(path.join(folder, 'settings.yaml'), settings);
  return await runCommand([...args, '--settings', path.join(folder, 'settings.yaml')]);
};
const rulesIn = async (file: string): Promise<string> => await readFile(path.join(folder, 'rules', file), 'utf8');

const exportRunbooks = async (...args: string[]): Promise<Awaited<ReturnType<typeof runCommand>>> =>
  await runCommand(['dashboards', 'export', '--form', 'runbooks', '--dir', path.join(folder, 'runbooks'), ...args]);

async function linksInRunbooks(): Promise<readonly string[]> {
  const dir = path.join(folder, 'runbooks');
  const texts = (await readdir(dir)).map(async (file) => await readFile(path.join(dir, file), 'utf8'));
  return (await Promise.all(texts)).flatMap((text) =>
    [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target),
  );
}

it('writes the runbook of every alert into one folder, with links within it', async () => {
  const dir = path.join(folder, 'runbooks');
  expect(await exportRunbooks()).toMatchObject({ exitCode: 0, errors: '' });
  const files = await readdir(dir);
  expect(files.toSorted()).toEqual(shipped.alerts.map(({ name }) => `${name}.md`).toSorted());
  const links = await linksInRunbooks();
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((target) => !files.includes(target))).toEqual([]);
  expect((await exportRunbooks()).printed).toContain(`${files.length} runbooks, 0 written`);
  await writeFile(path.join(dir, 'DatabaseDown.md'), '# Ours');
  expect(await exportRunbooks()).toMatchObject({ exitCode: 1 });
  expect(await readFile(path.join(dir, 'DatabaseDown.md'), 'utf8')).toBe('# Ours');
});

it('lets a runbook link to the package where it refers to a runbook that is not exported', async () => {
  expect(await exportRunbooks('--only', 'scrape_pipeline')).toMatchObject({ exitCode: 0 });
  const links = await linksInRunbooks();
  expect(links).toContainEqual(
    expect.stringMatching(
      /^https:\/\/unpkg\.com\/siphon-otel@\d\S+\/src\/packs\/postgres-health\/runbooks\/DatabaseDown\.md$/,
    ),
  );
});

it('links the rules to the runbooks of this version, and prints where they are', async () => {
  const { printed } = await exportRules();
  expect(printed).toContain('The alerts link to runbooks on unpkg.com. Open one of the links; --runbooks URL names');
  for (const url of await runbookLinks()) {
    const [, file = ''] = /^https:\/\/unpkg\.com\/siphon-otel@\d+\.\d+\.\d+\/(src\/.+\.md)$/.exec(url) ?? [];
    await expect(stat(new URL(`../../../${file}`, import.meta.url))).resolves.toBeDefined();
  }
});

it.each([
  { what: '--runbooks', args: ['--runbooks', 'https://wiki.example.com/siphon/'] },
  { what: 'the settings', settings: 'links: {runbooks: https://wiki.example.com/siphon/}' },
  {
    what: '--runbooks rather than the settings',
    args: ['--runbooks', 'https://wiki.example.com/siphon'],
    settings: 'links: {runbooks: https://former.example.com}',
  },
])('links the rules to the runbooks of the user, by $what', async ({ args = [], settings }) => {
  const { printed } = await exportRules(settings, ...args);
  expect(printed).not.toContain('link to runbooks');
  const own = await runbookLinks();
  expect(own).toContain('https://wiki.example.com/siphon/DatabaseDown.md');
  expect(own.filter((url) => !url.startsWith('https://wiki.example.com/siphon/'))).toEqual([]);
});

async function runbookLinks(): Promise<string[]> {
  return [...(await rulesIn('alerts.yaml')).matchAll(/runbook_url: (\S+)/g)].map(([, url = '']) => url);
}

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
    expect(again.printed).toContain('6 dashboards, 0 written');
  });

  it('replaces an older one of its own, and touches no other file', async () => {
    await runCommand(['dashboards', 'export', '--dir', folder]);
    const other = path.join(folder, 'siphon-roaster.json');
    const before = await stat(other);
    const file = path.join(folder, 'siphon-prices.json');
    await writeFile(file, JSON.stringify({ uid: 'siphon-prices', tags: ['siphon-otel'], title: 'older' }));
    const { printed } = await runCommand(['dashboards', 'export', '--dir', folder]);
    expect(printed).toContain('1 written');
    expect(await readFile(file, 'utf8')).toBe(await shippedText('siphon-prices'));
    expect((await stat(other)).mtimeMs).toBe(before.mtimeMs);
  });

  it.each(['{"title": "mine"}', 'no JSON', 'null'])('never overwrites what is not its own: %s', async (text) => {
    const file = path.join(folder, 'siphon-prices.json');
    await writeFile(file, text);
    const { exitCode, errors } = await runCommand(['dashboards', 'export', '--dir', folder]);
    expect(exitCode).toBe(1);
    expect(errors).toBe(`${file} exists and was not generated by siphon; nothing was written`);
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
    [[], '--dir DIR is required'],
    [['--dir', 'x', '--form', 'perses'], '--form is perses, but must be one of grafana, prometheus, runbooks'],
    [['--dir', 'x', '--settings', 'y'], '--settings needs --form prometheus'],
    [['--dir', 'x', '--form', 'runbooks', '--runbooks', 'https://y.example.com'], '--runbooks needs --form prometheus'],
    [['--dir', 'x', '--form', 'prometheus', '--runbooks', 'wiki'], '--runbooks must be an address such as https://'],
  ])('refuses %s', async (args, message) => {
    const { exitCode, errors } = await runCommand(['dashboards', 'export', ...args]);
    expect(exitCode).toBe(2);
    expect(errors).toContain(message);
  });
});

describe('siphon dashboards export --form prometheus', () => {
  it('writes the rules as they are shipped, and replaces its own', async () => {
    expect((await exportRules()).printed).toContain('2 rule files, 2 written');
    for (const file of ['recording.yaml', 'alerts.yaml']) {
      const url = new URL(`../../../dashboards/prometheus/${file}`, import.meta.url);
      expect(await rulesIn(file)).toBe(await readFile(url, 'utf8'));
    }
    expect((await exportRules('alerts: {Watchdog: {for: 1h}}')).printed).toContain('1 written');
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
    ['alerts: {FetchError: {warning: 1}}', 'alerts.FetchError: unknown alert'],
    ['alerts: {FetchErrors: {warning: high}}', 'alerts.FetchErrors.warning must be a number or off, but is a string'],
    ['alerts: {FetchErrors: {warning: .nan}}', 'alerts.FetchErrors.warning must be a number or off, but is NaN'],
    ['alerts: {FetchErrors: {limit: 1}}', 'alerts.FetchErrors.limit is unknown; known are for, warning, critical'],
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
    ['links: {slack: https://x}', 'links.slack is unknown; known are grafana, runbooks, sentry'],
    ['thresholds: {}', 'thresholds is unknown; known are links, alerts'],
    ['- a', 'the file must be a mapping, but is a list'],
    ['a: [', 'is not valid YAML'],
  ])('writes nothing for %s, and reports the problem', async (settings, message) => {
    const { exitCode, errors } = await exportRules(settings);
    expect(exitCode).toBe(1);
    expect(errors).toContain(`${path.join(folder, 'settings.yaml')}: `);
    expect(errors).toContain(message);
    expect(errors).toContain('nothing was written');
    expect(await readdir(folder)).toEqual(['settings.yaml']);
  });

  it('names every problem, and never overwrites rules of someone else', async () => {
    const { errors } = await exportRules('alerts: {One: {}, RunFailed: {for: x}}');
    expect(errors.split('\n')).toHaveLength(3);
    await mkdir(path.join(folder, 'rules'));
    await writeFile(path.join(folder, 'rules', 'alerts.yaml'), 'groups: []');
    expect((await exportRules()).errors).toContain(
      'alerts.yaml exists and was not generated by siphon; nothing was written',
    );
    expect(await readdir(path.join(folder, 'rules'))).toEqual(['alerts.yaml']);
  });
});

const shop = fileURLToPath(new URL('../../../examples/shop/pack.ts', import.meta.url));
const inFolder = (...args: string[]) => runCommand(['dashboards', 'export', '--dir', folder, ...args]);
const linksIn = async (file: string): Promise<string[]> => {
  const { links } = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as { links: { url: string }[] };
  return links.map(({ url }) => url);
};

describe('siphon dashboards export with packs in modules', () => {
  it('adds the pack to the built-in ones', async () => {
    const { exitCode, errors } = await inFolder('--pack', shop);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect((await readdir(folder)).toSorted()).toEqual([...uids, 'shop'].map((uid) => `${uid}.json`).toSorted());
    expect(await linksIn('siphon-prices.json')).toContain('/d/shop');
  });

  it('writes only the named packs, which then link to no other dashboard', async () => {
    const { printed, errors } = await inFolder('--pack', shop, '--only', 'shop');
    expect({ printed, errors }).toEqual({
      printed: expect.stringMatching(/: 1 dashboard, 1 written, 0 unchanged$/),
      errors: '',
    });
    expect(await readdir(folder)).toEqual(['shop.json']);
    expect(await linksIn('shop.json')).toEqual([]);
  });

  it('writes the rules of the pack, with its runbooks and changed limits', async () => {
    const settings = path.join(folder, 'settings.yaml');
    await writeFile(settings, 'alerts: {ShopOrdersPending: {warning: 1200}, FetchErrors: {warning: 0.1}}');
    const { errors } = await inFolder('--form', 'prometheus', '--settings', settings, '--pack', shop, '--only', 'shop');
    expect(errors).toBe('');
    const { groups } = load(await readFile(path.join(folder, 'alerts.yaml'), 'utf8')) as {
      groups: { name: string; rules: { alert: string }[] }[];
    };
    expect(groups.map(({ name }) => name)).toEqual(['siphon-shop']);
    expect(new Set(groups[0]?.rules.map(({ alert }) => alert))).toEqual(
      new Set(['ShopOrdersPending', 'ShopPaymentsDeclined']),
    );
    const text = await readFile(path.join(folder, 'alerts.yaml'), 'utf8');
    expect(text).toContain('https://shop.example.com/runbooks/ShopOrdersPending');
    expect(text).toContain('>= 1200');
  });

  it.each([
    [['--only', 'shop'], 2, '--only shop: unknown pack; known are scrape_pipeline, service, postgres_health, sidecar'],
    [['--pack', 'missing.ts'], 1, 'missing.ts: file not found, or not readable'],
    [['--pack', shop, '--pack', shop], 1, `${shop}: another pack has the name shop`],
  ])('refuses %s', async (args, code, message) => {
    const { exitCode, errors } = await inFolder(...args);
    expect(exitCode).toBe(code);
    expect(errors).toContain(message);
    expect(await readdir(folder)).toEqual([]);
  });
});

it('siphon dashboards alone is not a command, and the list names both', async () => {
  const { exitCode, errors } = await runCommand(['dashboards']);
  expect(exitCode).toBe(2);
  expect(errors).toContain('dashboards export');
  expect(errors).toContain('dashboards push');
});
