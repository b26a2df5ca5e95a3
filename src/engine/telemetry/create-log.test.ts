import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const module = new URL('./create-log.ts', import.meta.url);

/** Returns the standard error of a process that logs once and ends immediately, as after a failure. */
function logged(encoding: 'json' | 'console' | 'auto', level = 'info'): string {
  const script = `
    const { createLog } = await import(${JSON.stringify(module.href)});
    const { logger } = await createLog({ level: '${level}', encoding: '${encoding}' });
    logger.child({ id: 'otlp' }).info({ endpoint: '127.0.0.1:4318' }, 'Listening');
    process.exit();`;
  const { stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout.toString()).toBe('');
  return stderr.toString();
}

it.each(['json', 'auto'] as const)('writes one JSON line with %s when standard error is not a terminal', (encoding) => {
  const text = logged(encoding);
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(text)).toEqual({
    level: 30,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    id: 'otlp',
    endpoint: '127.0.0.1:4318',
    msg: 'Listening',
  });
});

it('writes readable text with console, and loses no line when the process ends', () => {
  const text = logged('console');
  expect(text).toContain('INFO: Listening');
  expect(text).toContain('endpoint: "127.0.0.1:4318"');
  expect(text.includes('\u001B[')).toBe(false);
});

it('skips lines below its level', () => {
  expect(logged('json', 'warn')).toBe('');
});

it.each([
  ['info', false],
  ['debug', true],
])('writes the stack of an expected failure at level %s: %s', (level, hasStack) => {
  const errors = new URL('../errors.ts', import.meta.url);
  const script = `
    const { createLog } = await import(${JSON.stringify(module.href)});
    const { RetryableError } = await import(${JSON.stringify(errors.href)});
    const { logger } = await createLog({ level: '${level}', encoding: 'json' });
    logger.warn({ err: new RetryableError('queue_full', 'it is full: no room', { cause: new Error('no room') }) }, 'Failed');`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
  const { err } = JSON.parse(stderr.toString()) as { readonly err: Record<string, unknown> };
  expect(err).toMatchObject({ type: 'RetryableError', code: 'queue_full', message: 'it is full: no room' });
  expect(Object.hasOwn(err, 'stack')).toBe(hasStack);
});

/** Logs 5,000 lines, reports the lost ones on standard output, and continues after a line on standard input. */
const MANY_LINES = `
  const { createLog } = await import(${JSON.stringify(module.href)});
  const { logger, lostLines } = await createLog({ level: 'info', encoding: 'ENCODING' });
  process.on('uncaughtException', (err) => logger.error({ err }, 'Uncaught'));
  for (let i = 0; i < 5000; i++) logger.info({ i, text: 'x'.repeat(100) }, 'Line');
  process.stdout.write(String(lostLines()) + '\\n');
  process.stdin.once('data', () => {
    logger.info('Later');
    setTimeout(() => { logger.info('End'); process.exit(); }, 300);
  });`;

function logging(encoding: string, stderr: 'pipe' | number) {
  const script = MANY_LINES.replace('ENCODING', encoding);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', stderr] });
  child.stderr?.pause();
  return child;
}

it.each(['json', 'console'])('neither waits for a pipe that is not read nor grows: %s', async (encoding) => {
  const child = logging(encoding, 'pipe');
  const [answer] = await once(child.stdout!, 'data');
  const lost = Number(answer);
  expect(lost).toBeGreaterThan(1000);
  // A readable entry has several lines.
  expect(lost).toBeLessThan(20_000);
  // The reader continues: what waited arrives in whole lines, then the number of those that were lost.
  const all = textOf(child.stderr!);
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.stdin!.write('\n');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  const shown = await all;
  expect(shown).toContain('Log lines were lost');
  expect(shown.match(/End/g)).toHaveLength(1);
  if (encoding !== 'json') return;
  const lines = shown
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const written = lines.filter(({ msg }) => msg === 'Line' || msg === 'Later').length;
  const reported = lines
    .filter(({ msg }) => msg === 'Log lines were lost')
    .reduce((sum, { lines: n }) => sum + Number(n), 0);
  // On a busy machine, there may still be no room for the later line.
  expect(written + reported).toBe(5001);
});

it('survives a log that cannot be written', async () => {
  const child = logging('json', openSync('/dev/full', 'w'));
  const [answer] = await once(child.stdout!, 'data');
  expect(Number(answer)).toBe(5000);
  child.stdin!.write('\n');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

/** The messages of the lines, and how often each was written. */
function countsOf(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of text.trimEnd().split('\n')) {
    const { msg } = JSON.parse(line) as { readonly msg: string };
    counts[msg] = (counts[msg] ?? 0) + 1;
  }
  return counts;
}

/** Runs the statements in a process with this limit. */
function sampled(statements: string, sampling: object = { tickMs: 60_000, initial: 100, thereafter: 0 }): string {
  const script = `
    const { createLog } = await import(${JSON.stringify(module.href)});
    const sampling = ${JSON.stringify(sampling)};
    const { logger, suppressedLines } = await createLog({ level: 'info', encoding: 'json', sampling });
    ${statements}
    process.stdout.write(String(suppressedLines()));
    process.exit();`;
  const { stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
  const text = stderr.toString();
  const lines = text.trimEnd().split('\n');
  const report = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ lines: some }) => some);
  expect(report.map(({ lines: some }) => some)).toEqual([Number(stdout)]);
  return text;
}

it('limits the lines of a message that comes too often, in every logger, and reports the rest', () => {
  const text = sampled(`
    const child = logger.child({ id: 'otlp' });
    for (let i = 0; i < 1000; i++) (i % 2 ? child : logger).warn({ metric: 'm' + i }, 'Flood');
    child.info('Rare');
    logger.error({ err: new Error('no') }, 'Rare');`);
  expect(countsOf(text)).toEqual({ Flood: 100, Rare: 2, 'Log lines were suppressed': 1 });
  const report = text.split('\n').find((line) => line.includes('suppressed'));
  expect(JSON.parse(report ?? '')).toMatchObject({ level: 40, lines: 900, messages: { Flood: 900 } });
});

it('limits messages that all differ, and none of another level', () => {
  const text = sampled(
    `for (let i = 0; i < 5000; i++) logger.warn('Flood ' + i); logger.info('Rare'); logger.error('Rare');`,
    { tickMs: 10_000, initial: 100, thereafter: 0 },
  );
  expect(Object.keys(countsOf(text)).filter((message) => message.startsWith('Flood'))).toHaveLength(1000);
  expect(countsOf(text)).toMatchObject({ Rare: 2, 'Log lines were suppressed': 1 });
});

it('writes every n-th of the further lines if this is wanted', () => {
  const text = sampled(`for (let i = 0; i < 100; i++) logger.info('Flood');`, {
    tickMs: 60_000,
    initial: 10,
    thereafter: 30,
  });
  expect(countsOf(text)['Flood']).toBe(13);
});

it('reports at the end of the period, and then writes lines again', () => {
  const text = sampled(
    `for (let i = 0; i < 100; i++) logger.info('Flood');
    await new Promise((resolve) => setTimeout(resolve, 400));
    logger.info('Flood');`,
    { tickMs: 200, initial: 10, thereafter: 0 },
  );
  expect(text.match(/Flood"|suppressed/g)?.slice(-2)).toEqual(['suppressed', 'Flood"']);
});
