/** The ids of the active span in the lines of loggers. */
import { expect, it } from 'vitest';
import { runObservedFile } from '../support/processes/observed-script.ts';

const LOGGERS = ['bunyan', 'pino', 'winston'];

interface Line {
  readonly logger?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
}

async function linesWith(environment: Readonly<Record<string, string>>) {
  await using run = await runObservedFile(['tests/support/clients/loggers.mjs'], environment, 'siphon-otel/preload');
  expect(run.code).toBe(0);
  const [traceId, spanId] = JSON.parse(run.stderr) as [string, string];
  return { traceId, spanId, lines: run.stdout.trim().split('\n') };
}

function parsed(lines: readonly string[]): readonly Line[] {
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
}

function texts(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.includes('console'));
}

it('writes the ids of the active span to lines of bunyan, pino and winston, and leaves those of the service', async () => {
  const { traceId, spanId, lines } = await linesWith({});
  const written = parsed(lines).filter(({ logger }) => LOGGERS.includes(logger ?? ''));
  expect(written).toHaveLength(12);
  const [outside, within] = [written.slice(0, 6), written.slice(6)];
  expect(outside.filter(({ span_id }) => span_id !== undefined)).toEqual([]);
  for (const logger of LOGGERS) {
    const [line, child] = within.filter((one) => one.logger === logger);
    expect(line, logger).toMatchObject({ trace_id: traceId, span_id: spanId });
    expect(child, logger).toMatchObject({ trace_id: 'own' });
  }
});

it('leaves the lines of console as they are, unless the environment asks for the ids', async () => {
  const plain = await linesWith({});
  expect(texts(plain.lines)).toEqual([
    'a text of console',
    '{"logger":"console"}',
    'a text of console',
    '{"logger":"console"}',
  ]);
  const { traceId, spanId, lines } = await linesWith({ SIPHON_CONSOLE_TRACE_IDS: 'true' });
  const ids = { trace_id: traceId, span_id: spanId, trace_flags: '01' };
  expect(texts(lines)).toEqual([
    'a text of console',
    '{"logger":"console"}',
    `a text of console trace_id=${traceId} span_id=${spanId} trace_flags=01`,
    JSON.stringify({ ...ids, logger: 'console' }),
  ]);
});
