import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../examples/postgres/embedded-postgres.ts';
import { freePort } from '../../../examples/postgres/free-port.ts';
import { applySchema } from '../../../examples/coffee/database/schema.ts';
import { FakeGrafana } from '../dashboards/fake-grafana.ts';
import { InstalledProject } from '../processes/installed-project.ts';
import { ShellSession } from '../processes/shell-session.ts';
import { commandsOf, type FencedBlock } from './fenced-blocks.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const TYPESCRIPT = `${root}node_modules/typescript/bin/tsc`;

/** Commands that run until a signal, with a part of their output that shows that they work. */
const LASTING: readonly (readonly [command: RegExp, ready: RegExp])[] = [
  [/^prometheus /, /Server is ready/],
  [/ dashboards preview /, /http:\S+/],
  [/siphon(?:-otel)? run\b/, /Everything is ready/],
];

/** A sidecar on free ports, as `siphon init` would write it where the default ports are in use. */
const CONFIG = `receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}
exporters: {debug: {}}
service:
  pipelines: {metrics: {receivers: [otlp], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
`;

/** The systems that the examples need, and the installed package. */
export class ReadersWorld implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly project: InstalledProject;
  readonly postgres: EmbeddedPostgres;
  readonly grafana: FakeGrafana;

  private constructor(stack: AsyncDisposableStack, parts: Pick<ReadersWorld, 'project' | 'postgres' | 'grafana'>) {
    this.#stack = stack;
    this.project = parts.project;
    this.postgres = parts.postgres;
    this.grafana = parts.grafana;
  }

  static async create(): Promise<ReadersWorld> {
    await using stack = new AsyncDisposableStack();
    const project = stack.use(await InstalledProject.create());
    const postgres = stack.use(await startEmbeddedPostgres());
    await applySchema(postgres.url);
    const grafana = stack.use(await FakeGrafana.start());
    return new ReadersWorld(stack.move(), { project, postgres, grafana });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** The programs of the commands that this machine does not have. */
export function missingPrograms(blocks: readonly FencedBlock[]): string[] {
  const programs = new Set(blocks.flatMap(commandsOf).map((command) => command.split(' ')[0] ?? ''));
  return ['psql', 'prometheus'].filter(
    (program) => programs.has(program) && spawnSync(program, ['--version']).status !== 0,
  );
}

type Replacements = readonly (readonly [from: string, to: string])[];

/** Somebody who follows one page, in a folder of their own. */
export class Reader implements AsyncDisposable {
  readonly #shell: ShellSession;
  readonly #replaced: Replacements;

  private constructor(shell: ShellSession, replaced: Replacements) {
    this.#shell = shell;
    this.#replaced = replaced;
  }

  static async of(document: string, { project, postgres, grafana }: ReadersWorld): Promise<Reader> {
    const folder = await mkdtemp(path.join(tmpdir(), 'siphon-reader-'));
    await symlink(path.join(project.folder, 'node_modules'), path.join(folder, 'node_modules'));
    await writeFile(path.join(folder, 'package.json'), '{"name": "shop", "private": true, "type": "module"}');
    await writeFile(path.join(folder, 'app.js'), 'console.log("works");\n');
    await writeFile(path.join(folder, 'otel-collector.yaml'), CONFIG);
    if (document.startsWith('deploy/')) await cp(path.join(root, path.dirname(document)), folder, { recursive: true });
    // The page of an example starts in a clone.
    if (document.startsWith('examples/')) {
      for (const name of ['dist', 'examples']) await symlink(path.join(root, name), path.join(folder, name));
    }
    const environment = {
      ...process.env,
      PATH: `${path.join(folder, 'node_modules/.bin')}:${process.env['PATH']}`,
      OWNER_URL: postgres.url,
      DATABASE_URL: postgres.url,
      GRAFANA_TOKEN: FakeGrafana.editorToken,
    };
    return new Reader(new ShellSession(folder, environment), [
      ['https://grafana.example.com', grafana.url],
      ['GRAFANA_TOKEN=…', `GRAFANA_TOKEN=${FakeGrafana.editorToken}`],
      ['/etc/prometheus', path.join(folder, 'etc/prometheus')],
      ['/var/lib/grafana', path.join(folder, 'var/lib/grafana')],
      ['127.0.0.1:9090', `127.0.0.1:${await freePort(0)}`],
    ]);
  }

  async write(file: string, text: string): Promise<void> {
    const target = path.join(this.#shell.folder, file);
    if (existsSync(target) && file !== path.basename(file)) await rm(target);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }

  /** Runs the commands of a block. Returns their output. */
  async follow(block: FencedBlock): Promise<string> {
    let output = '';
    for (const written of commandsOf(block)) {
      const command = this.here(written);
      const [, variable, value] = /^export (\w+)=(\S+)$/.exec(command) ?? [];
      const [, ready] = LASTING.find(([pattern]) => pattern.test(command)) ?? [];
      if (variable !== undefined) {
        this.#shell.environment[variable] = value;
      } else if (ready === undefined) {
        const { code, stdout, stderr } = await this.#shell.run(command);
        if (code !== 0) throw new Error(`${command} exits ${code}\n${stdout}${stderr}`);
        output += stdout;
      } else {
        const running = this.#shell.start(command);
        await running.printed(ready);
        await running.stop();
      }
    }
    return output;
  }

  /** Compiles files that were written before. Throws with the errors of the compiler. */
  async compile(files: readonly string[]): Promise<void> {
    const options = {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2024'],
      types: ['node'],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
    };
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files }));
    const { code, stdout } = await this.#shell.run(`node ${TYPESCRIPT}`);
    if (code !== 0) throw new Error(stdout);
  }

  /** The text with the addresses and folders of this machine. */
  here(text: string): string {
    return this.#replaced.reduce((result, [from, to]) => result.replaceAll(from, to), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
    await rm(this.#shell.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
