import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const module = new URL('./create-logger.ts', import.meta.url);

/** Returns the standard error of a process that logs once and ends immediately, as after a failure. */
function logged(encoding: 'json' | 'console' | 'auto', level = 'info'): string {
  const script = `
    const { createLogger } = await import(${JSON.stringify(module.href)});
    const logger = await createLogger({ level: '${level}', encoding: '${encoding}' });
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
