import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStore, type RunningStore } from '../../../tests/support/components/running-store.ts';
import { fencedBlocks } from '../../../tests/support/documents/fenced-blocks.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../tests/support/otlp/otlp-spans.ts';
import { runCommand, type Ran } from '../../../tests/support/processes/run-command.ts';

const START_MS = Date.parse('2026-01-31T12:00:00Z');
const BETWEEN = ['--between', '2026-01-31T12:05:00Z,2026-01-31T12:06:00Z'];

let running: RunningStore;

/** Ten minutes with two requests a second. In the sixth minute, those of one store take ten times as long. */
function requests(): SpanDraft[] {
  return Array.from({ length: 1200 }, (_, trace) => {
    const store = ['berlin', 'oslo', '\u001B[31mrome'][trace % 3] as string;
    const isSlow = store === 'oslo' && Math.floor(trace / 120) === 5;
    return {
      traceId: (trace + 1).toString(16).padStart(32, '0'),
      spanId: spanId(trace + 1),
      name: 'GET /cart',
      kind: 'server',
      startTimeUnixNano: BigInt(START_MS + trace * 500) * 1_000_000n,
      durationNano: BigInt((isSlow ? 1000 : 100) + (trace % 17)) * 1_000_000n,
      attributes: { store, 'http.response.status_code': 200 },
    };
  });
}

beforeAll(async () => {
  running = await startStore();
  await running.store.consume(batchOfSpans(requests()));
});

afterAll(async () => await running[Symbol.asyncDispose]());

async function siphon(...args: readonly string[]): Promise<Ran> {
  return await runCommand(['compare', ...args, '--url', running.url]);
}

it('prints what docs/correlation.md shows', async () => {
  const blocks = fencedBlocks(readFileSync('docs/correlation.md', 'utf8'));
  const at = blocks.findIndex(({ text }) => text.startsWith('siphon compare '));
  const command = blocks[at]?.text.trim().split(' ').slice(2) ?? [];
  const { printed } = await runCommand(['compare', ...command, '--url', running.url]);
  expect(`${printed}\n`).toBe(blocks[at + 1]?.text);
});

it('names what the slow traces of a time have, with the counts', async () => {
  const { printed, exitCode } = await siphon(...BETWEEN);
  expect(exitCode).toBe(0);
  const [summary, , header, first, ...others] = printed.split('\n');
  expect(summary).toMatch(/^40 traces selected, 0 around; the shares are of all traces with the property/);
  expect(header).toBe('        SELECTED            AROUND  DIFFERENCE  PROPERTY');
  expect(first).toMatch(/^ {8}40 of 40 {10}0 of 360 {7}100 % {2}store = oslo$/);
  expect(others).toEqual([]);
});

it('has nothing to compare with where the time contains all traces', async () => {
  const all = ['--between', '2026-01-31T11:00:00Z,2026-01-31T13:00:00Z'];
  const text = 'the store has too few traces outside of the time to compare with: 0';
  expect(await siphon(...all)).toMatchObject({ printed: text, exitCode: 0 });
  expect(await siphon(...all, '--json')).toMatchObject({ printed: '', errors: text, exitCode: 0 });
});

it('finds what the traffic of a time has, and prints JSON', async () => {
  const { printed } = await siphon('--spans', 'all', '--since', '2026-01-31T12:00:00Z', ...BETWEEN);
  expect(printed).toMatch(/^121 traces selected, 1079 around: nothing differs, among \d+ properties$/);
  const json = await siphon('--min-duration', '500ms', '--json');
  expect(JSON.parse(json.printed)).toEqual({
    attribute: 'store',
    value: 'oslo',
    selected: { count: 40, of: 40 },
    around: { count: 360, of: 1160 },
    difference: expect.closeTo(0.69, 2) as number,
    low: expect.closeTo(0.6, 1) as number,
    high: expect.closeTo(0.72, 2) as number,
  });
});

it('reports that there is too little to compare, and not that nothing differs', async () => {
  const { printed } = await siphon('--min-duration', '10m');
  expect(printed).toBe('0 traces selected, 1200 around: too few to compare');
});

it('prints names that senders choose without their control characters', async () => {
  const { printed } = await siphon('--attribute', 'store=*rome', '--operation', 'GET*', '--min-duration', '116ms');
  expect(printed).not.toContain('\u001B');
});

it('names a wrong option with its fix', async () => {
  const { errors, exitCode } = await siphon('--service', 'coffee');
  expect(exitCode).toBe(2);
  expect(errors).toContain('--between, --status or --min-duration is required');
});
