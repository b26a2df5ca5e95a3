import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const LOG_TAIL_CHARACTERS = 20_000;

/** A program that takes `--config FILE` in the Collector's configuration language. */
export interface CollectorProgram {
  readonly name: 'siphon' | 'stock';
  readonly command: readonly [file: string, ...args: string[]];
}

/** siphon as `npm run build` made it. */
export const builtSiphon: CollectorProgram = {
  name: 'siphon',
  command: [process.execPath, join(root, 'dist/main.js'), 'run'],
};

/** siphon as its sources are. */
export const siphonFromSource: CollectorProgram = {
  name: 'siphon',
  command: [process.execPath, join(root, 'src/main.ts'), 'run'],
};

/** The stock Collector that `SIPHON_STOCK_COLLECTOR` names, if it names one. */
export function stockCollector(): CollectorProgram | undefined {
  const file = process.env['SIPHON_STOCK_COLLECTOR'];
  return file === undefined || file === '' ? undefined : { name: 'stock', command: [file] };
}

/** siphon or the stock Collector, running on a configuration that both read. */
export class CollectorProcess implements AsyncDisposable {
  readonly name: CollectorProgram['name'];
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #directory: string;
  /** Ends the process when its parent ends normally or by a handled signal. */
  readonly #clearAway = (): void => {
    this.#process.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  };
  #log = '';

  private constructor(program: CollectorProgram, directory: string) {
    const [file, ...args] = program.command;
    const config = join(directory, 'config.yaml');
    this.name = program.name;
    this.#directory = directory;
    this.#process = spawn(file, [...args, '--config', config], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.pid = this.#process.pid ?? -1;
    process.once('exit', this.#clearAway);
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-LOG_TAIL_CHARACTERS);
    });
  }

  /** Resolves when the program reports that everything is ready. */
  static async start(program: CollectorProgram, config: unknown): Promise<CollectorProcess> {
    const started = await CollectorProcess.launch(program, config);
    try {
      await started.ready();
      return started;
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves when the process exists, however far it has come. */
  static async launch(program: CollectorProgram, config: unknown): Promise<CollectorProcess> {
    const directory = await mkdtemp(join(tmpdir(), `siphon-${program.name}-`));
    await writeFile(join(directory, 'config.yaml'), JSON.stringify(config));
    return new CollectorProcess(program, directory);
  }

  /** @throws Error with the end of its log if the program ends first. */
  async ready(): Promise<void> {
    await waitFor(
      () => {
        const { exitCode, signalCode } = this.#process;
        if (exitCode !== null || signalCode !== null)
          throw new Error(`${this.name} ended at its start:\n${this.logTail}`);
        return this.#log.includes('Everything is ready');
      },
      { what: `${this.name} to be ready` },
    );
  }

  /** The last part of its stderr. */
  get logTail(): string {
    return this.#log.slice(-2000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    process.off('exit', this.#clearAway);
    await rm(this.#directory, { recursive: true, force: true });
  }
}
