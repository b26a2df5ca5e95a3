import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, pre, property, string } from 'fast-check';
import * as v from 'valibot';
import { afterAll, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../../engine/authenticator.ts';
import type { Component } from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { basicAuthConfig } from './config.ts';
import { basicAuthExtension } from './factory.ts';
import { Htpasswd } from './htpasswd.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';

const directory = mkdtempSync(join(tmpdir(), 'siphon-htpasswd-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function basicAuth(htpasswd: Record<string, string>): Promise<Component & Authenticator> {
  const config = v.parse(basicAuthConfig, { htpasswd });
  const extension = basicAuthExtension.create(componentSettings('extension', 'basic_auth').settings, config);
  await extension.start(hostWith());
  return extension as Component & Authenticator;
}

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;
const problems = (htpasswd: Record<string, string>): string[] =>
  v.safeParse(basicAuthConfig, { htpasswd }).issues?.map(({ message }) => message) ?? [];

describe('a password', () => {
  const salted = Buffer.concat([createHash('sha1').update('secretsalt').digest(), Buffer.from('salt')]);

  it.each([
    ['in plain text', 'secret'],
    ['as {SHA}', `{SHA}${createHash('sha1').update('secret').digest('base64')}`],
    ['as Apache writes it', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
    ['as {SSHA}', `{SSHA}${salted.toString('base64')}`],
  ])('%s accepts only the right password', (_, stored) => {
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
    ['a short bcrypt hash', 'a:b\nann:$2y$05$c4WoMPo3SXsafkva', /^line 2 contains a broken or unsupported hash/],
    [
      'a bcrypt hash of a cost that there is not',
      `ann:$2y$99$${'c4WoMPo3'.repeat(7).slice(0, 53)}`,
      /^line 1 contains a broken/,
    ],
    ['a short apr1 hash', 'ann:$apr1$hRY7OJWH$km1EYH', /^line 1 contains a broken or unsupported hash/],
    ['crypt', 'ann:$6$hRY7OJWH$km1EYH', /^line 1 contains a broken or unsupported hash/],
    ['no colon', 'topsecret', /^line 1 is not user:password$/],
    ['no user', ':topsecret', /^line 1 is not user:password$/],
    ['no password', 'ann:', /^line 1 is not user:password$/],
    ['a short hash', 'ann:{SHA}dG9v', /^line 1 contains a broken \{SHA\} hash$/],
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

const COSTLY = '$2b$10$abcdefghijklmnopqrstuunYspUDVwxKwnshT7FzjzjwI57RV2KKa';
/** Each is of the password pässwörd, and was made by another program than the one that reads it. */
const HASHES = [
  ['bcrypt as htpasswd marks it', '$2y$05$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G'],
  ['bcrypt of older programs', '$2a$06$abcdefghijklmnopqrstuuZRpgtdvy8sTei59Ltc5pdsksVO.fDZe'],
  ['apr1 of openssl', '$apr1$abcdefgh$030j6I3f1zNCF9tihqdd11'],
  ['MD5 of openssl', '$1$abcdefgh$xYuxUFvxUOR4Pd6a7EeUS0'],
  ['bcrypt', COSTLY],
] as const;

describe('a password that is stored as a slow hash', () => {
  it.each(HASHES)('%s accepts only the right password', async (_, stored) => {
    const extension = await basicAuth({ inline: `ann:${stored}` });
    const admits = async (credentials: string): Promise<boolean> => extension.authenticate(() => basic(credentials));
    expect(await admits('ann:pässwörd')).toBe(true);
    for (const wrong of ['ann:pässwörx', 'ann:passwörd', 'bob:pässwörd', `ann:${stored}`, 'ann:']) {
      expect([wrong, await admits(wrong)]).toEqual([wrong, false]);
    }
    await extension.shutdown(AbortSignal.timeout(1000));
  });

  it('costs only the first request with it, which does not hold up others', async () => {
    const extension = await basicAuth({ inline: `ann:${COSTLY}` });
    const authenticate = (): boolean | Promise<boolean> => extension.authenticate(() => basic('ann:pässwörd'));
    const first = Array.from({ length: 20 }, async () => authenticate());
    let turns = 0;
    const counter = setInterval(() => turns++, 5);
    expect(new Set(await Promise.all(first))).toEqual(new Set([true]));
    clearInterval(counter);
    expect(turns).toBeGreaterThan(5);
    expect(authenticate()).toBe(true);
    await extension.shutdown(AbortSignal.timeout(1000));
  });

  it('takes as long as the check of an unknown user', async () => {
    const extension = await basicAuth({ inline: `ann:${COSTLY}` });
    const msOf = async (credentials: string): Promise<number> => {
      const begun = performance.now();
      await extension.authenticate(() => basic(credentials));
      return performance.now() - begun;
    };
    const [ann, bob] = [await msOf('ann:wrong'), await msOf('bob:wrong')];
    expect(bob).toBeGreaterThan(ann / 4);
    await extension.shutdown(AbortSignal.timeout(1000));
  });

  it('answers that it is busy when too many passwords of users wait, and ends with the rest', async () => {
    const extension = await basicAuth({ inline: `ann:${COSTLY}` });
    const guess = async (_: unknown, i: number): Promise<unknown> =>
      extension.authenticate(() => basic(`ann:guess ${i}`));
    const guesses = Array.from({ length: 500 }, guess).map((answer) => answer.catch((error: unknown) => error));
    for (const answer of await Promise.all(guesses.slice(100))) expect(answer).toBeInstanceOf(RetryableError);
    await extension.shutdown(AbortSignal.timeout(1000));
    expect(new Set(await Promise.all(guesses.slice(0, 60)))).toEqual(new Set([false]));
    expect(await extension.authenticate(() => basic('ann:pässwörd'))).toBe(false);
  });

  it('accepts the right password soon while many names without a user are tried', async () => {
    const extension = await basicAuth({ inline: `ann:${COSTLY}` });
    const guess = async (_: unknown, i: number): Promise<boolean> =>
      extension.authenticate(() => basic(`user ${i}:guess`));
    const guesses = Array.from({ length: 100 }, guess);
    const ann = (async () => extension.authenticate(() => basic('ann:pässwörd')))();
    expect(await ann).toBe(true);
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([false]));
    await extension.shutdown(AbortSignal.timeout(1000));
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
  await expect(basicAuth({ file })).rejects.toThrow(
    /htpasswd::file: .*hashed: line 1 contains a broken or unsupported hash/,
  );
  await expect(basicAuth({ file })).rejects.not.toThrow(/topsecret/);
});
