import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SINK = fileURLToPath(new URL('span-sink.ts', import.meta.url));

/** The program `span-sink.ts`. */
export class SpanSink implements AsyncDisposable {
  readonly port: number;
  readonly #kill: () => void;

  private constructor(port: number, kill: () => void) {
    this.port = port;
    this.#kill = kill;
  }

  static async start(): Promise<SpanSink> {
    const child = spawn(process.execPath, [SINK], { stdio: ['ignore', 'pipe', 'inherit'] });
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return new SpanSink(Number(line.toString()), () => {
      process.off('exit', kill);
      kill();
    });
  }

  async count(): Promise<number> {
    return Number(await (await fetch(`http://127.0.0.1:${this.port}/`)).text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
  }
}
