import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.ts';

export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));

interface Part {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** `npm run demo` as a process with its own temporary folder. */
export class DemoProcess implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly place: string;
  readonly exitCode: Promise<number | null>;
  output = '';
  #parts: readonly Part[] = [];

  private constructor(place: string) {
    this.place = place;
    this.process = spawn(process.execPath, ['examples/coffee/main.ts'], {
      cwd: projectRoot,
      env: { PATH: process.env['PATH'], TMPDIR: place },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exitCode = once(this.process, 'close').then(([code]) => code as number | null);
  }

  /** Resolves when all parts of the demo run. */
  static async start(): Promise<DemoProcess> {
    const demo = new DemoProcess(await mkdtemp(join(tmpdir(), 'siphon-place-')));
    await waitFor(
      () => {
        if (demo.process.exitCode !== null) throw new Error(`the demo has ended: ${demo.output}`);
        return demo.output.includes('the fault switch');
      },
      { what: 'the demo' },
    );
    demo.#parts = descendantsOf(demo.process.pid!);
    return demo;
  }

  /** The process id of the part with this command. */
  partWith(command: string): number {
    return this.#parts.find((part) => part.command.includes(command))!.pid;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.process.kill(signal);
    return await this.exitCode;
  }

  /** Throws if a process or a folder of the demo still exists a moment after its end. */
  async expectNothingLeft(): Promise<void> {
    const data = this.#parts.flatMap(({ command }) => / -D (\S+)/.exec(command)?.[1] ?? []);
    const left = async (): Promise<string[]> => [
      ...runningProcesses().flatMap(({ pid, command }) =>
        this.#parts.some((part) => part.pid === pid) ? command : [],
      ),
      ...data.filter((folder) => existsSync(join(folder, '..'))),
      ...(await readdir(this.place)),
    ];
    let last: string[] = [];
    await waitFor(async () => (last = await left()).length === 0, {
      what: 'the end of everything',
      timeoutMs: 5000,
    }).catch((cause: unknown) => {
      throw new Error(`the demo left behind: ${last.join(', ')}`, { cause });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.exitCode;
    await rm(this.place, { recursive: true, force: true, maxRetries: 5 });
  }
}

function descendantsOf(pid: number): Part[] {
  const family = [pid];
  const parts = runningProcesses();
  for (const member of family) family.push(...parts.filter(({ parent }) => parent === member).map((part) => part.pid));
  return parts.filter((part) => part.pid !== pid && family.includes(part.pid));
}

function runningProcesses(): Part[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // A zombie has already ended.
    return command === undefined || state!.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}
