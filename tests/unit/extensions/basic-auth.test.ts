import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, pre, property, string } from 'fast-check';
import * as v from 'valibot';
import { afterAll, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../../src/collector/authenticator.ts';
import type { Component } from '../../../src/collector/component.ts';
import { basicAuthExtension } from '../../../src/extensions/basic-auth/factory.ts';
import { Htpasswd } from '../../../src/extensions/basic-auth/htpasswd.ts';
import { componentSettings } from '../../support/component-settings.ts';
import { hostWith } from '../../support/host-with.ts';

const directory = mkdtempSync(join(tmpdir(), 'siphon-htpasswd-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function basicAuth(htpasswd: Record<string, string>): Promise<Component & Authenticator> {
  const config = v.parse(basicAuthExtension.config, { htpasswd });
  const extension = basicAuthExtension.create(componentSettings('extension', 'basic_auth').settings, config);
  await extension.start(hostWith());
  return extension as Component & Authenticator;
}

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;
const problems = (htpasswd: Record<string, string>): string[] =>
  v.safeParse(basicAuthExtension.config, { htpasswd }).issues?.map(({ message }) => message) ?? [];

describe('a password', () => {
  const salted = Buffer.concat([createHash('sha1').update('secretsalt').digest(), Buffer.from('salt')]);

  it.each([
    ['in plain text', 'secret'],
    ['as {SHA}', `{SHA}${createHash('sha1').update('secret').digest('base64')}`],
    ['as Apache writes it', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
    ['as {SSHA}', `{SSHA}${salted.toString('base64')}`],
  ])('%s lets in who knows it, and nobody else', (_, stored) => {
    const users = new Htpasswd(`# users\n\nann:${stored}\r\n`);
    expect(users.verify('ann', 'secret')).toBe(true);
    for (const wrong of ['', 'secre', 'secrets', 'Secret', stored === 'secret' ? 'x' : stored])
      expect(users.verify('ann', wrong)).toBe(false);
    expect(users.verify('bob', 'secret')).toBe(false);
    expect(users.verify('bob', '')).toBe(false);
  });

  it('may hold colons and any characters', () => {
    assert(
      property(string({ unit: 'grapheme', minLength: 1 }), string({ unit: 'grapheme' }), (password, other) => {
        pre(!/[\r\n]|^\s|\s$|^[${]/.test(password));
        const users = new Htpasswd(`ann:${password}`);
        return users.verify('ann', password) && users.verify('ann', other) === (other === password);
      }),
    );
  });
});

describe('lines that cannot be used are named, without what they hold', () => {
  it.each([
    ['bcrypt', 'a:b\nann:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC', /^line 2 has a bcrypt/],
    ['apr1', 'ann:$apr1$hRY7OJWH$km1EYH', /^line 1 has a bcrypt, MD5/],
    ['no colon', 'topsecret', /^line 1 is not user:password$/],
    ['no user', ':topsecret', /^line 1 is not user:password$/],
    ['no password', 'ann:', /^line 1 is not user:password$/],
    ['a short hash', 'ann:{SHA}dG9v', /^line 1 has a broken \{SHA\} hash$/],
    ['no user at all', '# nobody\n', /^holds no user/],
  ])('%s', (_, inline, message) => {
    const found = problems({ inline });
    expect(found).toEqual([expect.stringMatching(message)]);
    expect(found.join('')).not.toMatch(/topsecret|c4Wo|hRY7|dG9v/);
  });

  it('needs users', () => {
    expect(problems({})).toEqual(['needs inline, file or both']);
  });
});

it('reads the header as it is written, and nothing else', async () => {
  const extension = await basicAuth({ inline: 'ann:se:cret' });
  const authenticate = async (value: string | undefined): Promise<boolean> =>
    extension.authenticate((name) => (name === 'authorization' ? value : undefined));
  expect(await authenticate(basic('ann:se:cret'))).toBe(true);
  expect(await authenticate(basic('ann:se:cret').replace('Basic', 'basic'))).toBe(true);
  for (const wrong of [
    undefined,
    '',
    'Basic',
    'Basic ',
    basic('ann'),
    basic(''),
    basic(':'),
    basic('ann:'),
    basic('ann:se'),
  ])
    expect(await authenticate(wrong)).toBe(false);
  expect(await authenticate(basic('ann:se:cret').replace('Basic', 'Bearer'))).toBe(false);
  expect(await authenticate('Basic '.repeat(100_000))).toBe(false);
  await extension.shutdown(AbortSignal.timeout(1000));
  expect(await authenticate(basic('ann:se:cret'))).toBe(false);
});

it('takes the users of a file too, after those that are written inline', async () => {
  const file = join(directory, 'users');
  writeFileSync(file, 'ann:old\nbob:word\n');
  const extension = await basicAuth({ inline: 'ann:new', file });
  const admits = async (credentials: string): Promise<boolean> => extension.authenticate(() => basic(credentials));
  expect(await Promise.all(['ann:new', 'ann:old', 'bob:word'].map(admits))).toEqual([true, false, true]);
});

it('names a file that cannot be read, and the line of one that cannot be used', async () => {
  await expect(basicAuth({ file: join(directory, 'none') })).rejects.toThrow(/htpasswd::file: .*none: ENOENT/);
  const file = join(directory, 'hashed');
  writeFileSync(file, 'ann:$2y$05$topsecret\n');
  await expect(basicAuth({ file })).rejects.toThrow(/htpasswd::file: .*hashed: line 1 has a bcrypt/);
  await expect(basicAuth({ file })).rejects.not.toThrow(/topsecret/);
});
