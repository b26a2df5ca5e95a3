import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, expect, it } from 'vitest';
import { BearerTokenAuthExtension } from './extension.ts';
import { bearerTokenAuthConfig } from './config.ts';
import { bearerTokenAuthExtension } from './factory.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { waitFor } from '../../../../tests/support/wait-for.ts';

const directory = mkdtempSync(join(tmpdir(), 'siphon-tokens-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function bearerAuth(keys: Record<string, unknown>): Promise<BearerTokenAuthExtension> {
  const config = v.parse(bearerTokenAuthConfig, keys);
  const { settings } = componentSettings('extension', 'bearer_token_auth');
  const extension = bearerTokenAuthExtension.create(settings, config);
  await extension.start(hostWith());
  return extension as BearerTokenAuthExtension;
}

/** Which of these values of the header are let in. */
const admitted = (
  extension: BearerTokenAuthExtension,
  values: readonly (string | undefined)[],
  header = 'authorization',
) => values.filter((value) => extension.authenticate((name) => (name === header ? value : undefined)) === true);

it('lets in the token behind the scheme, and nothing that only resembles it', async () => {
  const extension = await bearerAuth({ token: 'Sesame' });
  const values = [undefined, '', 'Bearer', 'Bearer ', 'Sesame', 'Basic Sesame', 'Bearer sesame', 'Bearer Sesame2'];
  expect(admitted(extension, [...values, 'Bearer Sesam', 'Bearer Sesame', 'bearer Sesame'])).toEqual([
    'Bearer Sesame',
    'bearer Sesame',
  ]);
  expect(admitted(extension, ['x'.repeat(1_000_000), `Bearer ${'x'.repeat(1_000_000)}`])).toEqual([]);
  await extension.shutdown();
  expect(admitted(extension, ['Bearer Sesame'])).toEqual([]);
});

it('lets in each of several tokens, in the header and with the scheme that are set', async () => {
  const extension = await bearerAuth({ tokens: ['one', 'two'], header: 'X-Key', scheme: '' });
  expect(admitted(extension, ['one', 'two', 'three', 'Bearer one'], 'x-key')).toEqual(['one', 'two']);
  expect(admitted(extension, ['one'])).toEqual([]);
  expect((await bearerAuth({ token: 'one', scheme: 'Token' })).challenge).toBe('Token');
});

it('reads the tokens of a file, and names a file without tokens or a missing one', async () => {
  const filename = join(directory, 'tokens');
  writeFileSync(filename, 'one\r\n\n  two  \n');
  expect(admitted(await bearerAuth({ filename }), ['Bearer one', 'Bearer two', 'Bearer '])).toHaveLength(2);
  writeFileSync(filename, '\n');
  await expect(bearerAuth({ filename })).rejects.toThrow(/tokens contains no token/);
  await expect(bearerAuth({ filename: join(directory, 'none') })).rejects.toThrow(/none cannot be read: ENOENT/);
});

it('reads the file again when it changes, and keeps the old tokens while it cannot be used', async () => {
  const filename = join(directory, 'rotated');
  writeFileSync(filename, 'one\n');
  const { settings, lines } = componentSettings('extension', 'bearer_token_auth');
  const extension = new BearerTokenAuthExtension(settings, v.parse(bearerTokenAuthConfig, { filename }));
  await extension.start();
  const admits = async (token: string): Promise<boolean> => extension.authenticate(() => `Bearer ${token}`);
  expect(await admits('one')).toBe(true);
  writeFileSync(join(directory, 'next'), 'two\n');
  renameSync(join(directory, 'next'), filename);
  await waitFor(() => admits('two'), { timeoutMs: 5000, what: 'the new token' });
  expect(await admits('one')).toBe(false);
  rmSync(filename);
  await waitFor(async () => (await admits('two')) && lines.length > 0, { timeoutMs: 5000, what: 'a line in the log' });
  expect(JSON.stringify(lines)).not.toContain('two');
  writeFileSync(filename, 'three\n');
  await waitFor(() => admits('three'), { timeoutMs: 5000, what: 'the file that is back' });
  await extension.shutdown();
  expect(await admits('three')).toBe(false);
});

it('prefers the tokens of the file to token, and logs that', async () => {
  const filename = join(directory, 'both');
  writeFileSync(filename, 'file\n');
  const { settings, lines } = componentSettings('extension', 'bearer_token_auth');
  const config = v.parse(bearerTokenAuthConfig, { filename, token: 'inline' });
  const extension = new BearerTokenAuthExtension(settings, config);
  await extension.start();
  expect(admitted(extension, ['Bearer file', 'Bearer inline'])).toEqual(['Bearer file']);
  expect(lines.map(({ keys }) => keys)).toEqual([['token, next to filename']]);
});

it.each([
  ['no token', {}, 'needs one of token, tokens and filename'],
  ['two sources', { token: 'a', tokens: ['b'] }, 'needs one of token, tokens and filename'],
  ['an empty token', { token: ' ' }, 'must not be empty'],
  ['an empty token among others', { tokens: ['a', ''] }, 'must not be empty'],
  ['no tokens', { tokens: [] }, 'must contain at least one token'],
  ['a header that is not set', { token: 'a', header: 'a b' }, 'must be the name of a header'],
])('refuses %s', (_, keys, message) => {
  const { issues } = v.safeParse(bearerTokenAuthConfig, keys);
  expect(issues?.map((issue) => issue.message)).toContain(message);
});
