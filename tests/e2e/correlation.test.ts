/** An error of the demo leads to its trace, its span and its log line, here and in the sink. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemo, type Demo } from '../../examples/coffee/start-demo.ts';
import type { LogRecord, Span, Trace } from '../../src/engine/stored-telemetry.ts';
import { fencedBlocks } from '../support/documents/fenced-blocks.ts';
import { siphon } from '../support/processes/run-built-command.ts';
import { waitFor } from '../support/wait-for.ts';

const MESSAGE = /^cannot fetch page 1 of /;

let demo: Demo;

beforeAll(async () => {
  demo = await startDemo({ fullRunEveryS: 5, priceRunEveryS: 1 });
});

afterAll(async () => await demo.stop());

it('finds the error, its span and its log line by one trace id, in the store and in the sink', async () => {
  await demo.setFault('store_down', true);
  const found = await waitForError();
  await demo.setFault('store_down', false);
  const { traceId, spanId, trace } = found;
  const span = trace.spans.find((one) => one.spanId === spanId);
  expect(span?.status.code).toBe('error');
  expect(trace.logs.filter(isError)).not.toEqual([]);
  expect(trace.logs.every((log) => log.traceId === traceId)).toBe(true);

  const sent = demo.sink.errors().filter(({ contexts }) => contexts?.trace?.trace_id === traceId);
  const texts = sent.map(({ exception }) => exception.values.at(-1)?.value).filter((text) => MESSAGE.test(text ?? ''));
  expect(texts, 'the error of the span and of the log line is one').toHaveLength(1);

  const { exitCode, stdout } = await siphon(['trace', traceId, '--url', `http://127.0.0.1:${demo.ports.store}`]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`Trace ${traceId}\n`);
  expect(stdout).toMatch(/✗ /);
  expect(stdout).toMatch(/cannot fetch page 1 of /);
  expect(stdout).toMatch(/ (?:WARN|ERROR) /);
});

async function ask<T>(path: string): Promise<T> {
  return (await (await fetch(`http://127.0.0.1:${demo.ports.store}${path}`)).json()) as T;
}

/** An error of the sink whose trace is in the store with its log line. */
async function waitForError(): Promise<{ traceId: string; spanId: string; trace: Trace }> {
  let found: { traceId: string; spanId: string; trace: Trace } | undefined;
  await waitFor(
    async () => {
      for (const { exception, contexts } of demo.sink.errors()) {
        if (!exception.values.some(({ value }) => MESSAGE.test(value ?? ''))) continue;
        const { trace_id: traceId = '', span_id: spanId = '' } = contexts?.trace ?? {};
        const trace = await ask<Trace>(`/api/traces/${traceId}`);
        const isWhole = trace.spans?.some((span: Span) => span.spanId === spanId) && trace.logs.some(isError);
        if (isWhole) found = { traceId, spanId, trace };
      }
      return found !== undefined;
    },
    { what: 'an error that is in the sink and in the store' },
  );
  return found!;
}

function isError({ severityNumber, attributes }: LogRecord): boolean {
  return severityNumber >= 13 && MESSAGE.test(String(attributes['exception.message']));
}

it('follows docs/correlation.md', async () => {
  const url = ['--url', `http://127.0.0.1:${demo.ports.store}`];
  const { traceId } = await waitForError();
  const document = fencedBlocks(await readFile('docs/correlation.md', 'utf8'));
  const blocks = document.filter(({ info }) => info.includes('correlation.test.ts'));
  const commands = blocks.filter(({ language }) => language === 'sh');
  expect(commands).toHaveLength(5);
  for (const [i, block] of blocks.entries()) {
    if (block.language !== 'sh') continue;
    const command = block.text.trim().replace(/^siphon /, '');
    // The document shows another trace.
    const args = command.replace(/ [0-9a-f]{16,32}/, ` ${traceId}`).split(' ');
    const { exitCode, stdout, stderr } = await siphon([...args, ...url]);
    expect(exitCode, `${command}: ${stderr}`).toBe(0);
    const shown = blocks[i + 1];
    if (shown?.language === 'text') expect(formOf(stdout), command).toBe(formOf(shown.text));
    else expect(JSON.parse(stdout.split('\n')[0] ?? '')).toHaveProperty('traceId');
  }
});

/** The first line, whatever its numbers and names of shops are. */
function formOf(output: string): string {
  const [first = ''] = output.split('\n');
  return first.replaceAll(/[0-9a-f]{32}|\d+/g, '#').replaceAll(/blue-tokai|babas-beans/g, 'shop');
}
