import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OtlpCapture } from '../otlp/otlp-capture.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sources = new URL('./observe-service.ts', import.meta.url).href;

export interface ObservedScript extends AsyncDisposable {
  /** Received its telemetry. */
  readonly capture: OtlpCapture;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an ES module in a process that is observed from the sources, to its end. */
export async function runObserved(
  script: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ObservedScript> {
  return await runObservedFile(['--input-type=module', '--eval', script], environment);
}

/** Does the same with a file and its arguments, and with another preload, for example the built one. */
export async function runObservedFile(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  preload = sources,
): Promise<ObservedScript> {
  const capture = await OtlpCapture.start();
  const child = spawn(process.execPath, ['--import', preload, ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], OTEL_EXPORTER_OTLP_ENDPOINT: capture.url, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { capture, code, stdout, stderr, [Symbol.asyncDispose]: () => capture[Symbol.asyncDispose]() };
}
