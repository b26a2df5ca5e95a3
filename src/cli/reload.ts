import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EXIT_FAILURE,
  EXIT_OK,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from './command.ts';
import { addressOf } from './component-address.ts';
import { readConfig } from './read-config.ts';

/** How long the command waits for the outcome. A reload may drain queues first. */
const PATIENCE_MS = 30_000;
const POLL_MS = 100;
const DEFAULT_PAGE = 'http://127.0.0.1:8888/metrics';

export const reload: Command = {
  summary: 'let a running sidecar read its configuration again, and report the outcome',
  optionLines: [
    '--pid-file FILE              the file that siphon run --pid-file has written',
    '--pid NUMBER                 the id of the process, instead of a file; in a container usually 1',
    '--metrics URL                its own metrics, which show the outcome. Default: the address in the files of --config,',
    `                             or without them ${DEFAULT_PAGE}`,
  ],
  takes: ['pid-file', 'pid', 'metrics'],
  example: 'siphon reload --pid-file siphon.pid',
  exitsOneIf: 'if it keeps the old configuration, if the outcome is unknown, or if no sidecar has this process id',
  readsConfig: true,
  async run(options, context) {
    const pid = pidFrom(options);
    const problem = pid.problem ?? refusalOf(pid.value);
    if (problem !== undefined) {
      context.printError(problem);
      return EXIT_FAILURE;
    }
    const page = options.given['metrics'] ?? (await configuredPage(options, context));
    return page === undefined ? EXIT_FAILURE : await signalAndWait(pid.value, page, context);
  },
};

/** Undefined if the configuration has mistakes, which are printed. */
async function configuredPage(options: CommandOptions, context: CommandContext): Promise<string | undefined> {
  if (options.configs.length === 0) return DEFAULT_PAGE;
  const loaded = await readConfig(options, context);
  if (loaded === undefined) return undefined;
  const { metrics } = loaded.config.service.telemetry;
  return metrics === undefined ? DEFAULT_PAGE : `${addressOf(metrics)}/metrics`;
}

interface Pid {
  readonly value: number;
  readonly problem?: string;
}

function pidFrom({ given: { pid, 'pid-file': file } }: CommandOptions): Pid {
  if ((pid === undefined) === (file === undefined)) throw new UsageError('one of --pid-file and --pid is required');
  if (file === undefined) {
    const value = toPid(pid as string);
    if (value === undefined) throw new UsageError('--pid must be the number of a process');
    return { value };
  }
  try {
    const value = toPid(readFileSync(file, 'utf8').trim());
    return value === undefined ? { value: 0, problem: `${file} does not contain the id of a process` } : { value };
  } catch (error) {
    return { value: 0, problem: `${file} cannot be read: ${(error as Error).message}` };
  }
}

function toPid(text: string): number | undefined {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}

/** SIGHUP ends a process that does not handle it. A file may be older than the process that has its number now. */
function refusalOf(pid: number): string | undefined {
  if (process.platform === 'win32') return 'Windows has no signal for this: restart siphon instead';
  try {
    process.kill(pid, 0);
  } catch (error) {
    const isForeign = (error as NodeJS.ErrnoException).code === 'EPERM';
    return isForeign ? `process ${pid} belongs to another user` : `process ${pid} does not exist`;
  }
  if (process.platform !== 'linux') return undefined;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const handled = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return (handled & 1n) === 1n ? undefined : `process ${pid} does not handle SIGHUP, so it is not siphon`;
}

async function signalAndWait(pid: number, page: string, context: CommandContext): Promise<number> {
  const before = await reloadsOn(page);
  process.kill(pid, 'SIGHUP');
  if (before === undefined) {
    context.printError(
      `Process ${pid} reloads its configuration, but the outcome is unknown, because ${page} is not readable. Its log shows it; --metrics names the address of its own metrics`,
    );
    return EXIT_FAILURE;
  }
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await sleep(POLL_MS)) {
    const after = await reloadsOn(page);
    if (after === undefined) continue;
    if (after.failed > before.failed) {
      context.printError(`Process ${pid} keeps its old configuration. Its log shows the problems of the new one`);
      return EXIT_FAILURE;
    }
    if (after.succeeded > before.succeeded) {
      context.print(`Process ${pid} uses the new configuration`);
      return EXIT_OK;
    }
  }
  context.printError(
    `Process ${pid} has not reloaded its configuration within ${PATIENCE_MS / 1000} s, according to ${page}. If those are the metrics of another process, --metrics names the address of its own; its log shows the outcome, too`,
  );
  return EXIT_FAILURE;
}

interface Reloads {
  readonly succeeded: number;
  readonly failed: number;
}

/** Undefined if the page cannot be read or does not have the counter. */
async function reloadsOn(page: string): Promise<Reloads | undefined> {
  try {
    const text = await (await fetch(page, { signal: AbortSignal.timeout(2000) })).text();
    const countOf = (outcome: string): number =>
      Number(new RegExp(`^siphon_config_reloads\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(text)?.[1]);
    const reloads = { succeeded: countOf('succeeded'), failed: countOf('failed') };
    return Number.isNaN(reloads.succeeded + reloads.failed) ? undefined : reloads;
  } catch {
    return undefined;
  }
}
