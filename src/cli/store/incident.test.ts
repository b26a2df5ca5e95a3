import { once } from 'node:events';
import { lstatSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runCommand, type Ran } from '../../../tests/support/processes/run-command.ts';
import { DATA_PLACE } from '../../console/incident/recording.ts';

/** Answers each path with its text, and others with nothing. */
async function serving(files: Readonly<Record<string, string>>): Promise<AsyncDisposable & { url: string }> {
  const server: Server = createServer(({ url = '' }, response) => {
    const text = files[url] ?? files['*'];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A console without data. */
const CONSOLE = {
  '/settings.json': JSON.stringify({ dashboards: [], views: [], prometheus: '/api/v1', scrapeS: 1 }),
  '/incident.html': `<html>${DATA_PLACE}</html>`,
};

async function incident(url: string, ...args: readonly string[]): Promise<Ran> {
  return await runCommand(['incident', '--last', '1m', '--url', url, ...args]);
}

it.each([
  ['has no such files', {}],
  ['answers everything with a page', { '*': '<html>' }],
  ['answers everything with JSON', { '*': '{"status":"ok"}' }],
  ['answers everything with null', { '*': 'null' }],
])('names a server that is not a console, because it %s', async (_, files) => {
  await using server = await serving(files);
  const { exitCode: code, errors: err } = await incident(
    server.url,
    '--out',
    path.join(tmpdir(), 'never-written.html'),
  );
  expect(code).toBe(1);
  expect(err).toContain(`${server.url} is not a console`);
  expect(err).not.toContain('TypeError');
});

it('writes a file for the user only, and replaces none unless asked to', async () => {
  await using server = await serving(CONSOLE);
  const folder = mkdtempSync(path.join(tmpdir(), 'siphon-incident-'));
  const file = path.join(folder, 'a.html');
  expect((await incident(server.url, '--out', file)).exitCode).toBe(0);
  expect(lstatSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, 'mine');
  const refused = await incident(server.url, '--out', file);
  expect(refused.exitCode).toBe(1);
  expect(refused.errors).toContain(`${file} exists: choose another name with --out, or replace it with --force`);
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect((await incident(server.url, '--out', file, '--force')).exitCode).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('<html>');
});

it('never writes through a link', async () => {
  await using server = await serving(CONSOLE);
  const folder = mkdtempSync(path.join(tmpdir(), 'siphon-incident-'));
  const [target, link] = [path.join(folder, 'target'), path.join(folder, 'link.html')];
  writeFileSync(target, 'mine');
  symlinkSync(target, link);
  expect((await incident(server.url, '--out', link)).exitCode).toBe(1);
  expect((await incident(server.url, '--out', link, '--force')).exitCode).toBe(0);
  expect(readFileSync(target, 'utf8')).toBe('mine');
  expect(lstatSync(link).isSymbolicLink()).toBe(false);
});
