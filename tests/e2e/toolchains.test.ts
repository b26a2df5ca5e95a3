/**
 * The preload under package managers, compilers, bundlers, test runners and other runtimes, installed from npm: the service
 * answers as without it, and its trace arrives.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { OtlpCapture } from '../support/otlp/otlp-capture.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { installedFromNpm } from '../support/processes/installed-from-npm.ts';
import { InstalledProject, type RunOptions } from '../support/processes/installed-project.ts';
import { ANSWER, orderService, traceIn, TRACE } from '../support/toolchains/order-service.ts';

const TOOLS = [
  '@yarnpkg/cli-dist@4.18.1',
  'deno@2.9.6',
  'esbuild@0.28.2',
  'jest@30.5.2',
  'pnpm@12.21.0',
  'tsx@4.23.15',
  'webpack@5.113.0',
];

const IMPORT = ['--import', 'siphon-otel/preload'];
const REQUIRE = ['-r', 'siphon-otel/preload'];

/** Patches of `pg` do not see the copy in a bundle. */
const TRACE_OF_BUNDLE = TRACE.filter((line) => !/SELECT|connect/.test(line));

const tools = await mkdtemp(path.join(tmpdir(), 'siphon-tools-'));
const run = promisify(execFile);
const isMissing = !(await installedFromNpm(tools, TOOLS));

const tool = (file: string): string => path.join(tools, 'node_modules', file);

let project: InstalledProject;
let postgres: TestPostgres;
beforeAll(async () => {
  [project, postgres] = await Promise.all([
    InstalledProject.create({ also: ['express'] }),
    startTestPostgres({ schema: false }),
  ]);
  for (const format of ['cjs', 'mjs', 'ts'] as const) await project.write(`service.${format}`, orderService(format));
});
afterAll(async () => {
  await Promise.all([project?.[Symbol.asyncDispose](), postgres?.[Symbol.asyncDispose]()]);
  await rm(tools, { recursive: true, force: true });
});

type Start = Omit<RunOptions, 'onLine'> & { readonly file: string };

function settings(capture: OtlpCapture): Readonly<Record<string, string>> {
  const { url } = postgres;
  return { DATABASE_URL: url, OTEL_EXPORTER_OTLP_ENDPOINT: capture.url, SIPHON_FLUSH_TIMEOUT_MS: '8000' };
}

/** Creates a project and installs it with a package manager, once. */
async function projectOf(name: string, [command = '', ...args]: readonly string[]): Promise<string> {
  const folder = path.join(tools, name);
  if (existsSync(folder)) return folder;
  await mkdir(folder);
  const dependencies = { express: manifest.devDependencies.express, pg: manifest.devDependencies.pg };
  const text = JSON.stringify({
    name: 'foreign',
    private: true,
    dependencies: { ...dependencies, 'siphon-otel': `file:${project.tarball}` },
  });
  await writeFile(path.join(folder, 'package.json'), text);
  // Otherwise Yarn takes the folder above for the root of the project.
  await writeFile(path.join(folder, 'yarn.lock'), '');
  for (const format of ['cjs', 'mjs'] as const)
    await writeFile(path.join(folder, `service.${format}`), orderService(format));
  const environment = { YARN_GLOBAL_FOLDER: path.join(tools, 'yarn-cache'), YARN_ENABLE_TELEMETRY: '0' };
  // With it, they refuse to write a lock file.
  const { CI: _, ...inherited } = process.env;
  await run(tool(command), [...args], { cwd: folder, env: { ...inherited, ...environment } });
  return folder;
}

/** Starts a service with and without the preload, and returns the trace. */
async function traceOf(bare: Start, observed: Start): Promise<readonly string[]> {
  await using capture = await OtlpCapture.start();
  const [without, withPreload] = await Promise.all(
    [bare, observed].map(async ({ file, environment, ...options }) => {
      const { code, lines, stderr } = await project.run(file, {
        ...options,
        environment: { ...settings(capture), ...environment },
      });
      return { code, lines, stderr: stderr.replaceAll(/\(node:\d+\)/g, '(node)') };
    }),
  );
  expect(without).toMatchObject({ code: 0, lines: [ANSWER] });
  expect(withPreload).toEqual(without);
  return traceIn(capture.spans());
}

describe('TypeScript', () => {
  it('is observed when Node.js strips its types', async () => {
    expect(await traceOf({ file: 'service.ts' }, { file: 'service.ts', flags: IMPORT })).toEqual(TRACE);
  });

  const loader = ['--import', pathToFileURL(tool('tsx/dist/loader.mjs')).href];
  const command = { file: 'service.ts', node: tool('.bin/tsx') };
  it.skipIf(isMissing).each<[string, Start]>([
    ['tsx --import', { ...command, flags: IMPORT }],
    ['tsx -r', { ...command, flags: REQUIRE }],
    ['tsx with NODE_OPTIONS', { ...command, environment: { NODE_OPTIONS: IMPORT.join(' ') } }],
    ['node, the preload first', { file: 'service.ts', flags: [...IMPORT, ...loader] }],
    ['node, tsx first', { file: 'service.ts', flags: [...loader, ...IMPORT] }],
  ])('is observed with %s', async (_, observed) => {
    expect(await traceOf(command, observed)).toEqual(TRACE);
  });
});

async function esbuild(args: readonly string[]): Promise<void> {
  await run(tool('.bin/esbuild'), ['service.mjs', '--bundle', '--platform=node', '--external:pg-native', ...args], {
    cwd: project.folder,
  });
}

describe('a bundle', () => {
  const bundlers: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
    'esbuild.cjs': async (file) => await esbuild([`--outfile=${file}`]),
    'webpack.cjs': async (file) => {
      const program = `require(${JSON.stringify(tool('webpack'))})({
        mode: 'production', target: 'node', entry: './service.mjs', externals: { 'pg-native': 'commonjs pg-native' },
        output: { path: ${JSON.stringify(project.folder)}, filename: '${file}' },
      }, (error, stats) => { if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString()); })`;
      await run(process.execPath, ['--eval', program], { cwd: project.folder });
    },
    'rolldown.mjs': async (file) => {
      const input = path.join(project.folder, 'service.mjs');
      const bundle = await rolldown({ input, platform: 'node', external: ['pg-native'], logLevel: 'silent' });
      await bundle.write({ file: path.join(project.folder, file), format: 'esm' });
    },
  };

  it.skipIf(isMissing).each(Object.entries(bundlers))(
    '%s answers as without the preload, and what it contains of pg is not observed',
    async (file, build) => {
      await build(file);
      for (const flags of [IMPORT, REQUIRE]) expect(await traceOf({ file }, { file, flags })).toEqual(TRACE_OF_BUNDLE);
    },
  );

  it.skipIf(isMissing)('is observed with the packages that it leaves outside', async () => {
    const file = 'outside.cjs';
    await esbuild(['--external:pg', `--outfile=${file}`]);
    expect(await traceOf({ file }, { file, flags: REQUIRE })).toEqual(TRACE);
  });
});

describe.skipIf(isMissing)('pnpm', () => {
  it.each(['cjs', 'mjs'])('is observed as %s', async (format) => {
    const cwd = await projectOf('pnpm', ['.bin/pnpm', 'install', '--store-dir', path.join(tools, 'pnpm-store')]);
    const command = { file: `service.${format}`, cwd };
    for (const flags of [IMPORT, REQUIRE]) expect(await traceOf(command, { ...command, flags })).toEqual(TRACE);
  });
});

describe.skipIf(isMissing)('Yarn with Plug’n’Play', () => {
  const [pnp, loader] = [
    ['-r', './.pnp.cjs'],
    ['--experimental-loader', './.pnp.loader.mjs'],
  ];
  it.each<[string, Start, readonly string[]]>([
    ['yarn node and --import', { file: 'service.mjs', node: tool('.bin/yarn'), flags: ['node'] }, IMPORT],
    ['yarn node and -r', { file: 'service.cjs', node: tool('.bin/yarn'), flags: ['node'] }, REQUIRE],
    ['node and -r', { file: 'service.cjs', flags: pnp }, REQUIRE],
    ['node, its loader and --import', { file: 'service.cjs', flags: [...pnp, ...loader] }, IMPORT],
    ['node, its loader and -r', { file: 'service.mjs', flags: [...pnp, ...loader] }, REQUIRE],
  ])('is observed with %s', async (_, { flags = [], ...start }, preload) => {
    const cwd = await projectOf('yarn', ['.bin/yarn', 'install']);
    const observed = { ...start, cwd, flags: [...flags, ...preload] };
    expect(await traceOf({ ...start, cwd, flags }, observed)).toEqual(TRACE);
  });
});

describe.skipIf(isMissing)('Deno', () => {
  it('is observed without its fetch, which carries no trace headers', async () => {
    const command = { file: 'service.mjs', node: tool('.bin/deno'), flags: ['run', '--allow-all', '--quiet'] };
    const preload = ['--preload', 'node_modules/siphon-otel/dist/sdk/preload.cjs'];
    const trace = await traceOf(command, { ...command, flags: [...command.flags, ...preload] });
    const withoutFetch = TRACE.filter((line) => line !== 'CLIENT GET <- GET /orders/:id');
    expect(trace).toEqual(withoutFetch.map((line) => line.replace('/price <- GET', '/price <- none')));
  });
});

describe.skipIf(isMissing)('Jest', () => {
  it('runs as without the preload, and what it loads itself is not observed', async () => {
    await project.write(
      'service.test.js',
      `test('answers an order', (done) => {
        console.log = (line) => {
          expect(line).toBe('${ANSWER}');
          done();
        };
        require('./service.cjs');
      });`,
    );
    await using capture = await OtlpCapture.start();
    const runTests = async (environment: Readonly<Record<string, string>>) => {
      const { code, lines, stderr } = await project.run(tool('jest/bin/jest.js'), {
        args: ['--ci', '--rootDir', project.folder],
        environment: { ...environment, ...settings(capture) },
      });
      return { code, lines, passed: stderr.split('\n').filter((line) => line.startsWith('Tests: ')) };
    };
    const bare = await runTests({});
    expect(bare).toEqual({ code: 0, lines: [], passed: ['Tests:       1 passed, 1 total'] });
    expect(await runTests({ NODE_OPTIONS: IMPORT.join(' ') })).toEqual(bare);
    expect(traceIn(capture.spans())).toEqual(TRACE_OF_BUNDLE);
  });
});
