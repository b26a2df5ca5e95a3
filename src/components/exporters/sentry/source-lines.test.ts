import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { root, sendAll } from './exporter-under-test.ts';
import { SourceLines } from './source-lines.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'siphon-sources-'));
const at = (name: string): string => path.join(folder, name);
mkdirSync(at('app'));
writeFileSync(at('app/brew.js'), Array.from({ length: 20 }, (_, n) => `line ${n + 1}`).join('\n'));
writeFileSync(at('app/long.js'), `${'x'.repeat(500)}\n`);
writeFileSync(at('app/.env'), 'SECRET=1\n');
writeFileSync(at('outside.js'), 'outside\n');
symlinkSync(at('outside.js'), at('app/link.js'));
symlinkSync(at('app/.env'), at('app/env.js'));

afterAll(() => rmSync(folder, { recursive: true }));

describe('SourceLines', () => {
  const sources = new SourceLines([at('app'), at('missing')]);
  const frame = (name: string, lineno: number, more: object = {}) => ({
    filename: at(name),
    lineno,
    in_app: true,
    ...more,
  });

  it('adds five lines before and after the line of a frame', () => {
    expect(sources.addTo(frame('app/brew.js', 7))).toMatchObject({
      pre_context: ['line 2', 'line 3', 'line 4', 'line 5', 'line 6'],
      context_line: 'line 7',
      post_context: ['line 8', 'line 9', 'line 10', 'line 11', 'line 12'],
    });
    expect(sources.addTo(frame('app/brew.js', 1))).toMatchObject({ pre_context: [], context_line: 'line 1' });
  });

  it('cuts long lines', () => {
    expect(sources.addTo(frame('app/long.js', 1))).toMatchObject({ context_line: `${'x'.repeat(200)}…` });
  });

  it.each([
    ['a file outside the folders', frame('outside.js', 1)],
    ['a link that leads outside', frame('app/link.js', 1)],
    ['a path that leads outside', frame('app/../outside.js', 1)],
    ['a file that is not a source', frame('app/.env', 1)],
    ['a link to one', frame('app/env.js', 1)],
    ['a folder', frame('app', 1)],
    ['a line that does not exist', frame('app/brew.js', 21)],
    ['a frame of a library', frame('app/brew.js', 1, { in_app: false })],
  ])('reads nothing for %s', (_, given) => {
    expect(sources.addTo(given)).toEqual(given);
  });

  it('is off unless folders are configured', async () => {
    await using sink = await startSentrySink();
    const stack = `Error: m\n    at brew (file://${at('app/brew.js')}:7:2)`;
    const attributes = { 'exception.type': 'Error', 'exception.message': 'm', 'exception.stacktrace': stack };
    const failed = { ...root, events: [{ name: 'exception', attributes }] };
    await sendAll(sink, [[failed]]);
    await sendAll(sink, [[failed]], { source_roots: [at('app')] });
    const lines = sink.errors().map(({ exception }) => exception.values[0]?.stacktrace?.frames[0]?.context_line);
    expect(lines).toEqual([undefined, 'line 7']);
  });
});
