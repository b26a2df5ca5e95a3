/** `npm run demo`: runs a scraper, its database and a siphon sidecar on this machine. */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { projectFolder } from './child.ts';
import { switchFault } from './control.ts';
import { describeSwitch, faults, isFault } from './fault.ts';
import { startDemo, type Demo } from './start-demo.ts';
import { watch } from './watch.ts';

const help = `npm run demo                        starts everything and shows its status until Ctrl-C
npm run demo -- --once              runs the pipeline once and checks that all data has arrived; exits with 0 or 1
npm run demo -- fault NAME on|off   switches a fault of the running demo; faults: ${faults.join(', ')}
DATABASE_URL                        use this PostgreSQL instead of an embedded one; the demo creates its tables in it`;

const usageExitCode = 2;
const interruptedExitCode = 130;
const startedAt = performance.now();

try {
  await main();
} catch (error) {
  fail(error);
}

async function main(): Promise<void> {
  const { values: flags, positionals } = parseArguments();
  if (flags.help) print(help);
  else if (positionals.length > 0) await fault(positionals);
  else await run(flags);
}

function parseArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        once: { type: 'boolean', default: false },
        build: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error));
  }
}

async function fault([command, name = '', state, ...rest]: readonly string[]): Promise<void> {
  if (command !== 'fault' || rest.length > 0) return usageError('unknown command');
  if (!isFault(name)) return usageError(`unknown fault \u201C${name}\u201D; valid faults: ${faults.join(', ')}`);
  if (state !== 'on' && state !== 'off') return usageError(`expected on or off after ${name}`);
  await switchFault(name, state === 'on');
  print(describeSwitch(name, state === 'on'));
}

async function run({ once, build }: { readonly once: boolean; readonly build: boolean }): Promise<void> {
  if (build) buildPackage();
  const { signal } = listenForSignals();
  const databaseUrl = process.env['DATABASE_URL'];
  try {
    const demo = await startDemo({ once, progress, signal, ...(databaseUrl ? { databaseUrl } : {}) });
    try {
      await Promise.race([once ? check(demo, signal) : watch(demo, signal), crash(demo)]);
    } catch (error) {
      fail(error);
    }
    if (!signal.aborted) progress('ending\u2026');
    await demo.stop();
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
  process.exit();
}

/** The sidecar and the preload run from the build. */
function buildPackage(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: projectFolder, stdio: 'inherit' });
  progress('built siphon');
}

/** The first signal ends all parts in order. The second ends this process; its guardian then kills the parts. */
function listenForSignals(): AbortController {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(interruptedExitCode);
      progress('ending\u2026');
      interrupt.abort(new Error('interrupted'));
    });
  }
  return interrupt;
}

async function check(demo: Demo, signal: AbortSignal): Promise<void> {
  // Imports siphon from the build, which did not exist before `buildPackage`.
  const { awaitArrival, checkTable } = await import('./once.ts');
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('interrupted before all checks were done')));
  });
  const checks = await Promise.race([awaitArrival(demo), interrupted]);
  print(checkTable(checks).join('\n'));
  const missing = checks.filter(({ ok }) => !ok);
  if (missing.length > 0) throw new Error(`missing data: ${missing.map(({ what }) => what).join(', ')}`);
  progress(`all data has arrived: ${checks.length} checks passed`);
}

async function crash(demo: Demo): Promise<never> {
  throw new Error(await demo.crashed);
}

function progress(step: string): void {
  print(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${step}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(error: unknown): void {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function usageError(problem: string): never {
  process.stderr.write(`demo: ${problem}\n\n${help}\n`);
  process.exit(usageExitCode);
}
