import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Round {
  readonly round: number;
  /** The duration of the operation, or its error message. */
  readonly milliseconds: number | string;
}

/** The fixture service as a process with the built preload. */
export class FixtureService implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly rounds: Round[] = [];
  readonly exitCode: Promise<number | null>;

  constructor(otlpEndpoint: string, { rounds = 1, pauseMs = 0 }: { rounds?: number; pauseMs?: number } = {}) {
    const preload = ['--import', 'siphon-otel/preload'];
    this.process = spawn(process.execPath, [...preload, 'tests/e2e/fixtures/service.mjs', `${rounds}`, `${pauseMs}`], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        OTEL_SERVICE_NAME: 'coffee',
        OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
        OTEL_METRIC_EXPORT_INTERVAL: '500',
        OTEL_BSP_SCHEDULE_DELAY: '200',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.exitCode = once(this.process, 'exit').then(([code]) => code as number | null);
    createInterface({ input: this.process.stdout! }).on('line', (line) => this.rounds.push(JSON.parse(line) as Round));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL');
    await this.exitCode;
  }
}
