import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { brokenLinks } from '../support/documents/relative-links.ts';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const TYPESCRIPT = `${root}node_modules/typescript/bin/tsc`;

/** Uses every entry of the package that the pack does not use. */
const SERVICE = `
import 'siphon-otel/preload';
import { instruments, type LabelValues } from 'siphon-otel/instruments';
import { promql } from 'siphon-otel/dashboards';
import { packs, packMetrics, sidecar } from 'siphon-otel/packs';
import { recordFetch, runOperation } from 'siphon-otel/pipeline';
import { shopMetrics } from './metrics.ts';

const outcome: LabelValues<typeof shopMetrics.shop_checkouts_total>['outcome'] = 'paid';
instruments(shopMetrics).shop_checkouts_total({ outcome });
promql({ ...shopMetrics, ...sidecar.metrics }).latest('up');
export const names: string[] = packs.map(({ name }) => name);
export const unit: '{order}' = shopMetrics.shop_orders_total.unit;
export const used: unknown[] = [packMetrics.prices_recorded_total.kind, recordFetch, runOperation];
`;

const MISTAKE = `import { instruments } from 'siphon-otel/instruments';
import { shopMetrics } from './metrics.ts';
instruments(shopMetrics).shop_checkouts_total({ outcome: 'lost' });
`;

it('validates, runs and polls from the packed package, with nothing but its declared dependencies', async () => {
  await using database = await startTestPostgres();
  await using project = await InstalledProject.create({ without: ['pg', 'pino'] });
  const command = path.join(project.folder, 'node_modules/.bin/siphon');
  const config = path.join(project.folder, 'node_modules/siphon-otel/otel-collector.yaml');
  const environment = { DATABASE_URL: database.url };

  const validated = await project.run(command, { args: ['validate', '--config', config], environment });
  expect(validated).toMatchObject({ code: 0, stderr: '' });

  const sets = ['receivers.db_poller.collection_interval=250ms'];
  await using sidecar = await Sidecar.start({ command, configs: [config], environment, sets });
  await waitFor(async () => /^database_connections_active\b/m.test(await sidecar.scrape()), {
    what: 'the health of the database',
  });
  expect(await sidecar.selfMetrics()).toContain('otelcol_process_uptime');
  expect(await sidecar.stop()).toBe(0);
});

it.each(['nodenext', 'bundler'])(
  'has complete types for %s, which a pack and a service can use',
  async (resolution) => {
    await using project = await InstalledProject.create();
    for (const name of ['metrics', 'queries', 'thresholds', 'dashboard', 'alerts', 'pack']) {
      const text = await readFile(`${root}examples/shop/${name}.ts`, 'utf8');
      await project.write(`${name}.ts`, text);
    }
    await project.write('service.ts', SERVICE);
    await project.write('package.json', JSON.stringify({ name: 'foreign', private: true, type: 'module' }));
    const compilerOptions = {
      module: resolution === 'bundler' ? 'preserve' : resolution,
      moduleResolution: resolution,
      target: 'es2022',
      lib: ['es2024'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      allowImportingTsExtensions: true,
    };
    const write = async (files: readonly string[]) =>
      await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    await write(['pack.ts', 'service.ts']);
    expect(await project.run(TYPESCRIPT)).toMatchObject({ code: 0, lines: [], stderr: '' });

    await project.write('mistake.ts', MISTAKE);
    await write(['mistake.ts']);
    const { code, lines } = await project.run(TYPESCRIPT);
    expect(code).not.toBe(0);
    expect(lines.join('\n')).toContain('mistake.ts(3,');
    expect(lines.filter((line) => line.includes('error'))).toHaveLength(1);
  },
);

it('contains every file that its documents refer to', async () => {
  await using project = await InstalledProject.create();
  const folder = path.join(project.folder, 'node_modules/siphon-otel');
  const files = await readdir(folder, { recursive: true });
  const documents = files.filter((file) => file.endsWith('.md'));
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/preload.md', 'deploy/postgres/README.md']));
  const broken = documents.flatMap((file) => brokenLinks(path.join(folder, file)).map((link) => `${file}: ${link}`));
  expect(broken).toEqual([]);
});

it('contains an example that passes its checks where Node.js reads TypeScript, and names the remedy elsewhere', async () => {
  await using project = await InstalledProject.create();
  const command = path.join(project.folder, 'node_modules/.bin/siphon');
  const check = async (file: string) => await project.run(command, { args: ['packs', 'check', file], environment: {} });
  const inPackage = 'node_modules/siphon-otel/examples/shop';
  const refused = await check(`${inPackage}/pack.ts`);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('; copy the pack out of node_modules, where Node.js reads no TypeScript');
  expect(refused.stderr).not.toContain('?loaded=');
  await cp(path.join(project.folder, inPackage), path.join(project.folder, 'shop'), { recursive: true });
  expect(await check('shop/pack.ts')).toMatchObject({ code: 0, stderr: '' });
});

it('contains dashboards, rules and runbooks in the packed package', async () => {
  await using project = await InstalledProject.create();
  const command = path.join(project.folder, 'node_modules/.bin/siphon');
  const exported = await project.run(command, { args: ['dashboards', 'export', '--dir', 'out'], environment: {} });
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(path.join(project.folder, 'out'))).length).toBe(6);
  const args = ['dashboards', 'export', '--form', 'prometheus', '--dir', 'rules'];
  expect(await project.run(command, { args, environment: {} })).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(path.join(project.folder, 'rules'))).toSorted()).toEqual(['alerts.yaml', 'recording.yaml']);
  const toWiki = ['dashboards', 'export', '--form', 'runbooks', '--dir', 'wiki'];
  expect(await project.run(command, { args: toWiki, environment: {} })).toMatchObject({ code: 0, stderr: '' });
  expect(await readdir(path.join(project.folder, 'wiki'))).toContain('DatabaseDown.md');
});

it('installs in less than 35 MB, without the dependencies of the sidecar', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-installed-'));
  try {
    const npm = async (args: readonly string[], cwd: string): Promise<string> =>
      (await execute('npm', args, { cwd })).stdout;
    await npm(['pack', '--ignore-scripts', '--pack-destination', folder], root);
    await writeFile(path.join(folder, 'package.json'), '{"private": true}');
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
    await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`], folder);
    const modules = path.join(folder, 'node_modules');
    const installed = JSON.parse(await readFile(path.join(modules, '.package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    // Packs, instruments and `siphon-otel/pipeline` import these in the process of the service.
    expect(Object.keys(installed.packages).map((name) => name.replace('node_modules/', ''))).toEqual([
      '@opentelemetry/api',
      'croner',
      'is-network-error',
      'p-retry',
      'siphon-otel',
      'valibot',
    ]);
    const { stdout } = await execute('du', ['-sk', modules]);
    expect(Number.parseInt(stdout, 10) / 1000).toBeLessThan(35);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('builds before it packs, so that a clone without dist gives a whole package', async () => {
  const clone = await mkdtemp(path.join(tmpdir(), 'siphon-clone-'));
  try {
    const { stdout: tracked } = await execute('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      maxBuffer: 10 * 1024 * 1024,
    });
    for (const file of tracked.split('\0').filter((name) => name !== '')) {
      await cp(path.join(root, file), path.join(clone, file));
    }
    await symlink(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
    const { stdout } = await execute('npm', ['pack', '--json'], { cwd: clone });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const names = files.map((file) => file.path);
    expect(names).toEqual(expect.arrayContaining(['dist/main.js', 'dist/sdk/preload.cjs', 'dist/packs/pack.js']));
  } finally {
    await rm(clone, { recursive: true });
  }
});

it('contains a bill of materials with a hash of every bundled and declared package', async () => {
  const bill = JSON.parse(await readFile(`${root}dist/sbom.cdx.json`, 'utf8')) as {
    readonly components: readonly { readonly name: string; readonly hashes: readonly { readonly content: string }[] }[];
  };
  const names = bill.components.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['pg', 'pino', 'js-yaml', 'valibot', '@opentelemetry/sdk-metrics', 'uplot']),
  );
  for (const { hashes } of bill.components) expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/);
});

it('has no syntax that the oldest Node.js of `engines` does not know', async () => {
  const names = await readdir(path.join(root, 'dist'), { recursive: true });
  const files = names.filter((name) => /\.c?js$/.test(name) && !name.startsWith('console'));
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    const text = await readFile(path.join(root, 'dist', file), 'utf8');
    expect(text, file).not.toMatch(/^\s*(?:await using \w+ =|using \w+ = [^'"])/m);
  }
});
