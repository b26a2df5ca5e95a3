import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_SPOOL_BYTES, MAX_SPOOL_FILES, parseSpoolFileName, spoolFileName } from '../engine/otlp/spool-file.ts';
import { spool } from './spool.ts';

const request = (text = 'spans', url = 'http://127.0.0.1:4318/v1/traces') => ({
  url,
  signal: 'traces' as const,
  body: Buffer.from(text),
});

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'siphon-spool-test-'));
  directory = path.join(parent, 'spool');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const spoolAll = (unsent: ReturnType<typeof request>[], ...rest: [Record<string, string>, number]): void =>
  spool({ unsent, unknown: [] }, ...rest);

/** Long enough for a slow machine. */
const soon = () => performance.now() + 60_000;

const environment = () => ({ SIPHON_SPOOL_DIRECTORY: directory });

/** A file of the format, written this long ago. */
function existing(ageMs: number, size = 1): string {
  const id = crypto.randomUUID();
  const name = spoolFileName({ port: 4318, signal: 'traces', writtenAtMs: Date.now() - ageMs, id, state: 'otlp' });
  const file = path.join(directory, name);
  writeFileSync(file, '');
  truncateSync(file, size);
  return name;
}

describe('the files for a sidecar that does not listen', () => {
  it('have the request, and only this user can read them', () => {
    spoolAll([request(), request('more', 'https://localhost/v1/traces')], environment(), soon());
    const names = readdirSync(directory);
    const files = names.map((name) => parseSpoolFileName(name)).toSorted((a, b) => Number(a?.port) - Number(b?.port));
    expect(files).toMatchObject([
      { port: 443, signal: 'traces', state: 'otlp' },
      { port: 4318, signal: 'traces', state: 'otlp' },
    ]);
    expect(names.map((name) => readFileSync(path.join(directory, name), 'utf8')).toSorted()).toEqual(['more', 'spans']);
    expect(names.map((name) => statSync(path.join(directory, name)).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('can be read by the group of a directory that its owner opened for a group', () => {
    mkdirSync(directory);
    chmodSync(directory, 0o770);
    spoolAll([request()], environment(), soon());
    expect(readdirSync(directory).map((name) => statSync(path.join(directory, name)).mode & 0o777)).toEqual([0o640]);
  });

  it('are not written where others can write, or through a link', () => {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    expect(() => spoolAll([request()], environment(), soon())).toThrow('must be a directory of this user');
    expect(readdirSync(directory)).toEqual([]);

    const elsewhere = path.join(parent, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    const link = path.join(parent, 'link');
    symlinkSync(elsewhere, link);
    expect(() => spoolAll([request()], { SIPHON_SPOOL_DIRECTORY: link }, soon())).toThrow(
      'must be a directory of this user',
    );
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('are for loopback addresses unless the directory is named, and for none with `none`', () => {
    const previous = process.env['TMPDIR'];
    process.env['TMPDIR'] = parent;
    try {
      spoolAll([request('spans', 'http://sidecar.example:4318/v1/traces')], {}, soon());
      spoolAll([request()], { SIPHON_SPOOL_DIRECTORY: 'none' }, soon());
      expect(readdirSync(parent)).toEqual([]);
      spoolAll([request('spans', 'http://[::1]:4318/v1/traces')], {}, soon());
      expect(readdirSync(parent)).toEqual([`siphon-otel-spool-${process.getuid?.()}`]);
    } finally {
      if (previous === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = previous;
    }
    spoolAll([request('spans', 'http://sidecar.example:4318/v1/traces')], environment(), soon());
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it.each([
    ['files', () => Array.from({ length: MAX_SPOOL_FILES - 1 }, () => existing(0))],
    ['bytes', () => existing(0, MAX_SPOOL_BYTES - 8)],
  ])('are at most so many %s, and the others are counted', (_, fill) => {
    mkdirSync(directory, { mode: 0o700 });
    fill();
    const before = readdirSync(directory).length;
    spoolAll([request(), request(), request()], environment(), soon());
    expect(readdirSync(directory)).toHaveLength(before + 2);
    expect(readFileSync(path.join(directory, '4318.lost'), 'utf8')).toHaveLength(2);
  });

  it('replace those that nothing has read for a day, which are counted', () => {
    mkdirSync(directory, { mode: 0o700 });
    const old = existing(25 * 3_600_000);
    const recent = existing(23 * 3_600_000);
    spoolAll([request()], environment(), soon());
    const names = readdirSync(directory);
    expect(names).toContain(recent);
    expect(names).not.toContain(old);
    expect(readFileSync(path.join(directory, '4318.lost'), 'utf8')).toHaveLength(1);
  });

  it('are not begun, or removed again, when the time is over, and are counted', () => {
    spoolAll([request()], environment(), performance.now() - 1);
    expect(readdirSync(directory)).toEqual(['4318.lost']);
  });

  it('count what may have arrived', () => {
    spool({ unsent: [request()], unknown: [request(), request()] }, environment(), soon());
    expect(readdirSync(directory)).toHaveLength(2);
    expect(readFileSync(path.join(directory, '4318.lost'), 'utf8')).toHaveLength(2);
  });
});
