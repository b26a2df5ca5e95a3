/** `npm run demo`: a real scraper being observed, on this machine alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { askDatabase, findMissing } from './check-arrival.ts';
import { startControl, switchFault } from './control.ts';
import { faults, isFault } from './fault.ts';
import { liveView, scrape } from './live-view.ts';
import { startDemo, type Demo } from './start-demo.ts';

const help = `npm run demo                        starts everything and shows it until Ctrl-C
npm run demo -- --once              one full run and one price run, checked from end to end; exit 0 if all has arrived
npm run demo -- fault NAME on|off   switches a fault of the running demo: ${faults.join(', ')}
DATABASE_URL                        a PostgreSQL to use instead of an embedded one; it gets the demo\u2019s tables
`;

const pipelineTimeoutMs = 30_000;
const arrivalTimeoutMs = 15_000;
const startedAt = performance.now();
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { once: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});

if (flags.help) print(help.trimEnd());
else if (positionals.length > 0) await fault();
else await run();

async function fault(): Promise<void> {
  const [command, name = '', state] = positionals;
  if (command !== 'fault' || !isFault(name) || (state !== 'on' && state !== 'off')) {
    print(help.trimEnd());
    process.exitCode = 2;
    return;
  }
  await switchFault(name, state === 'on').catch((error: unknown) => fail(error));
}

async function run(): Promise<void> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
  });
  const databaseUrl = process.env['DATABASE_URL'];
  const starting = startDemo({ once: flags.once, progress, ...(databaseUrl ? { databaseUrl } : {}) });
  const demo = await starting.catch((error: unknown) => fail(error));
  if (demo === undefined) return;
  const crashed = demo.crashed.then((how) => new Error(how));
  try {
    const work = flags.once ? checkOnce(demo) : show(demo);
    const end = await Promise.race([work, interrupted, crashed]);
    if (end instanceof Error) fail(end);
  } catch (error) {
    fail(error);
  } finally {
    await demo.stop();
  }
  process.exit();
}

async function checkOnce(demo: Demo): Promise<void> {
  const late = sleep(pipelineTimeoutMs, 'late', { ref: false });
  if ((await Promise.race([demo.pipelineEnded(), late])) === 'late') throw new Error('the pipeline does not end');
  const end = performance.now() + arrivalTimeoutMs;
  for (;;) {
    const missing = await whatIsMissing(demo);
    if (missing.length === 0) break;
    if (performance.now() > end) throw new Error(`not everything has arrived:\n  ${missing.join('\n  ')}`);
    await sleep(250);
  }
  for (const { jobType, source, status, traceId } of demo.runs)
    print(`${jobType} ${source}: ${status}, trace ${traceId}`);
  for (const line of await liveView(demo)) print(line);
  progress('everything has arrived');
}

async function whatIsMissing(demo: Demo): Promise<string[]> {
  const [page, truth] = await Promise.all([scrape(demo.ports.scrape), askDatabase(demo.databaseUrl)]);
  return findMissing(page, truth, demo.sink, demo.runs);
}

async function show(demo: Demo): Promise<void> {
  demo.onStop(await startControl(async (name, on) => await demo.setFault(name, on)));
  print(
    `curl http://127.0.0.1:${demo.ports.scrape}/metrics   (point Prometheus there; the sidecar\u2019s own: ${demo.ports.telemetry})`,
  );
  print('npm run demo -- fault NAME on|off breaks something; Ctrl-C ends everything');
  const isTerminal = process.stdout.isTTY;
  for (let height = 0; ;) {
    const lines = await liveView(demo);
    if (isTerminal) process.stdout.write(height === 0 ? '' : `\u001B[${height}A\u001B[J`);
    print(isTerminal ? lines.join('\n') : lines.join(' | '));
    height = lines.length;
    await sleep(isTerminal ? 1000 : 10_000);
  }
}

function progress(step: string): void {
  print(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${step}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: unknown): undefined {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
  return undefined;
}
