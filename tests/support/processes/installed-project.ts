import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));

const HANGS_AFTER_MS = 15_000;

export interface RunOptions {
  /** The executable; by default the one of this process. */
  readonly node?: string;
  /** By default the folder of the project. */
  readonly cwd?: string;
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with every line of stdout. */
  readonly onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
  /** Time from the last line of stdout to the end of the process. */
  readonly endingMs: number;
}

/**
 * A user's project with the package from `npm pack`, and `pg` and `pino`, which its services use. It has only the declared
 * dependencies of the package, linked and not installed, so that it needs no network.
 */
export class InstalledProject implements AsyncDisposable {
  readonly folder: string;
  /** The packed package. */
  readonly tarball: string;

  private constructor(folder: string, tarball: string) {
    this.folder = folder;
    this.tarball = tarball;
  }

  /** In a folder where npm has installed packages already, these stay. */
  static async create({
    folder: given,
    also = [],
    without = [],
  }: { folder?: string; also?: readonly string[]; without?: readonly string[] } = {}): Promise<InstalledProject> {
    const folder = await realpath(given ?? (await mkdtemp(path.join(tmpdir(), 'siphon-foreign-'))));
    const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: root,
    });
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    const project = new InstalledProject(folder, path.join(folder, filename));
    const target = path.join(folder, 'node_modules/siphon-otel');
    await mkdir(target, { recursive: true });
    await run('tar', ['-xzf', project.tarball, '-C', target, '--strip-components=1']);
    const manifest = await readFile(path.join(target, 'package.json'), 'utf8');
    const { dependencies, bin } = JSON.parse(manifest) as Record<'dependencies' | 'bin', Record<string, string>>;
    const wanted = [...Object.keys(dependencies), '@types/node', 'pg', 'pino', ...also];
    const names = wanted.filter((name) => !without.includes(name));
    for (const name of names) await project.#link(name);
    for (const [name, file] of Object.entries(bin)) await project.#linkCommand(name, path.join(target, file));
    await project.write('package.json', JSON.stringify({ name: 'foreign', private: true }));
    return project;
  }

  async write(file: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, file), text);
  }

  async run(
    file: string,
    { node = process.execPath, cwd = this.folder, flags = [], args = [], environment = {}, onLine }: RunOptions = {},
  ): Promise<Ended> {
    const child = spawn(node, [...flags, file, ...args], {
      cwd,
      // Files that the process leaves for a sidecar are not those of other tests.
      env: { PATH: process.env['PATH'], TMPDIR: this.folder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    let [rest, stderr, lastLineAtMs] = ['', '', performance.now()];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const complete = (rest + text).split('\n');
      rest = complete.pop() ?? '';
      lastLineAtMs = performance.now();
      lines.push(...complete);
      for (const line of complete) onLine?.(line, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), HANGS_AFTER_MS);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    return { code, signal, lines, stderr, endingMs: performance.now() - lastLineAtMs };
  }

  /** Links the command as npm does. */
  async #linkCommand(name: string, file: string): Promise<void> {
    const folder = path.join(this.folder, 'node_modules/.bin');
    await mkdir(folder, { recursive: true });
    await chmod(file, 0o755);
    await symlink(file, path.join(folder, name));
  }

  async #link(name: string): Promise<void> {
    const link = path.join(this.folder, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    if (!existsSync(link)) await symlink(path.join(root, 'node_modules', name), link);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
