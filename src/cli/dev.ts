import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { loadConfig } from '../engine/config/load-config.ts';
import type { Environment } from '../engine/config/expand.ts';
import type { Collector } from '../engine/pipeline/collector.ts';
import { EXIT_FAILURE, type Command, type CommandContext } from './command.ts';
import { defaultConfig, hasDatabase, type DefaultConfigOptions } from './default-config.ts';
import { freePorts } from './free-ports.ts';
import { whenNpmEnds } from './npm-launcher.ts';
import { build } from './run.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

/** Somebody looks at the console, so telemetry arrives soon; and the terminal belongs to the command. */
const SETS = [
  'processors.batch.timeout=200ms',
  'extensions.metrics_history.interval=1s',
  'service.telemetry.logs.level=warn',
];

/** Another sidecar may poll the database. It must not leave this console without values. */
const POLLS_ITSELF = 'receivers.db_poller.leader_election.enabled=false';

/** Times of the preload, in milliseconds. */
const SOON = {
  OTEL_BSP_SCHEDULE_DELAY: '500',
  OTEL_BLRP_SCHEDULE_DELAY: '500',
  OTEL_METRIC_EXPORT_INTERVAL: '2000',
};

const SHUTDOWN_TIMEOUT_MS = 2000;

export const dev: Command = {
  summary: 'run a command with the preload, and the sidecar with its console next to it',
  takesCommandLine: true,
  optionLines: ['--open                       open the console in a browser'],
  flags: ['open'],
  example: 'siphon dev -- node app.js',
  exitsOneIf: 'if the sidecar cannot start; otherwise it exits like the command',
  readsConfig: false,
  async run({ commandLine = [], flags }, context) {
    const ports = await freePorts();
    const collector = await startedCollector(ports, context);
    if (collector === undefined) return EXIT_FAILURE;
    const address = `http://127.0.0.1:${ports.console}/`;
    context.printError(`siphon console: ${address}`);
    if (flags.has('open')) open(address);
    const child = start(commandLine, {
      ...SOON,
      ...context.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.http}`,
      SIPHON_DEV_PID: String(process.pid),
      NODE_OPTIONS: `${context.environment['NODE_OPTIONS'] ?? ''} --import ${context.preload.href}`.trim(),
    });
    const end = await endOf(child, commandLine, context);
    await collector.shutdown(AbortSignal.timeout(SHUTDOWN_TIMEOUT_MS));
    if (typeof end === 'number') return end;
    process.kill(process.pid, end);
    return EXIT_FAILURE;
  },
};

/** Undefined if it cannot start; the reason is printed. */
async function startedCollector(
  ports: DefaultConfigOptions['ports'],
  context: CommandContext,
): Promise<Collector | undefined> {
  const { environment, factories } = context;
  keepYoungGenerationSmall();
  try {
    const options = { hasDatabase: hasDatabase(environment), keepsState: false, ports };
    const source = { name: 'siphon dev', text: defaultConfig(options) };
    const sets = options.hasDatabase ? [...SETS, POLLS_ITSELF] : SETS;
    const loaded = await loadConfig({ sources: [source], sets, environment, factories });
    const { collector } = await build(
      { ...loaded, sources: [source.name] },
      { ...context, drainTimeoutMs: SHUTDOWN_TIMEOUT_MS },
    );
    await collector.start();
    return collector;
  } catch (error) {
    context.printError(`siphon could not start: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function start([program = '', ...args]: readonly string[], environment: Environment): ChildProcess {
  // A script such as npm.cmd needs a shell.
  return spawn(program, args, { env: environment, stdio: 'inherit', shell: process.platform === 'win32' });
}

/** The exit code of the command, or the signal that ended it. Signals to siphon are passed on. */
async function endOf(
  child: ChildProcess,
  [program]: readonly string[],
  { environment, printError }: CommandContext,
): Promise<number | NodeJS.Signals> {
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    // A terminal sends Ctrl+C to the command, too. A second signal would end it immediately.
    const pass = (): void => void ((signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal));
    process.on(signal, pass);
    return () => process.off(signal, pass);
  });
  whenNpmEnds(environment, () => void child.kill('SIGTERM'));
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal ?? code ?? EXIT_FAILURE;
  } catch (error) {
    printError(`${program} could not be started: ${(error as Error).message}`);
    return COMMAND_NOT_FOUND;
  } finally {
    for (const remove of handlers) remove();
  }
}

/** Shells have the same code. */
const COMMAND_NOT_FOUND = 127;

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** The address is printed, so a machine without a browser needs no error. */
function open(address: string): void {
  const [program, ...args] = OPENERS[process.platform] ?? (['xdg-open'] as const);
  const opener = spawn(program, [...args, address], { stdio: 'ignore', detached: true });
  opener.on('error', () => undefined);
  opener.unref();
}
