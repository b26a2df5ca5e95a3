import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyValue } from '../engine/otlp/any-value.ts';
import { cleanText, Privacy } from './privacy.ts';

const attributes = {
  'url.full': 'https://u:p@h.test/p?token=abc&page=2&api_key=k#f',
  'url.query': 'token=abc&page=2',
  'http.request.header.authorization': ['Bearer x'],
  'http.request.header.cookie': ['sid=1'],
  'http.request.header.x-forwarded-for': ['10.0.0.1'],
  'http.request.header.user-agent': ['curl'],
  'process.command_args': ['node', '--password=x'],
  'process.owner': 'root',
  'client.address': '10.1.2.3',
  'app.clientSecret': 'x',
  'http.response.status_code': 200,
  'session.id': 's',
  'gen_ai.usage.input_tokens': 5,
  'code.function.name': 'f',
  'messaging.kafka.message.key': 'k',
} as const;

function cleaned(privacy: Privacy): Record<string, unknown> {
  const entries = Object.entries(attributes).map(([name, value]) => [name, privacy.clean(name, value)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

describe('Privacy', () => {
  it('lets no secrets, addresses of clients, arguments and owners through', () => {
    expect(cleaned(new Privacy())).toEqual({
      'url.full': 'https://[Filtered]@h.test/p?token=[Filtered]&page=2&api_key=[Filtered]#f',
      'url.query': 'token=[Filtered]&page=2',
      'http.request.header.authorization': '[Filtered]',
      'http.request.header.user-agent': ['curl'],
      'app.clientSecret': '[Filtered]',
      'http.response.status_code': 200,
      'session.id': 's',
      'gen_ai.usage.input_tokens': 5,
      'code.function.name': 'f',
      'messaging.kafka.message.key': 'k',
    });
  });

  it('lets personal attributes through on request, and still no secrets', () => {
    const sent = cleaned(new Privacy({ personal: true }));
    expect(sent).toMatchObject({ 'client.address': '10.1.2.3', 'process.owner': 'root' });
    expect(sent).toMatchObject({
      'http.request.header.authorization': '[Filtered]',
      'url.query': 'token=[Filtered]&page=2',
    });
  });

  it('omits what the user denies', () => {
    const privacy = new Privacy({ denied: ['app.*', 'session.id'] });
    expect(Object.keys(cleaned(privacy))).not.toEqual(expect.arrayContaining(['app.clientSecret']));
    expect(privacy.clean('session.id', 's')).toBeUndefined();
  });

  it('looks into nested values', () => {
    const value = new Map<string, AnyValue>([
      ['password', 'x'],
      ['list', ['postgres://u:p@db/x']],
    ]);
    expect(new Privacy().clean('config', value)).toEqual(
      new Map<string, AnyValue>([
        ['password', '[Filtered]'],
        ['list', ['postgres://[Filtered]@db/x']],
      ]),
    );
  });

  it.each([
    ['connect to redis://:secret@cache:6379 failed', 'connect to redis://[Filtered]@cache:6379 failed'],
    ['mail to a@b.test', 'mail to a@b.test'],
    ['see http://h/?code=1&x=2', 'see http://h/?code=[Filtered]&x=2'],
  ])('cleans the addresses in a text: %s', (text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  it.each(['pass%77ord', 'user[password]', 'user%5Bpassword%5D', 'db_pass', 'AWSAccessKeyId', 'otp', 'SAMLResponse'])(
    'knows the secret parameter %s',
    (name) => {
      expect(new Privacy().clean('url.query', `a=1;${name}=x`)).toBe(`a=1;${name}=[Filtered]`);
    },
  );

  it.each([
    ['redirect=https%3A%2F%2Fx%2F%3Ftoken%3Dabc&page=2', 'redirect=[Filtered]&page=2'],
    ['next=https%253A%252F%252Fx%252F%253Fapi_key%253Dabc', 'next=[Filtered]'],
    ['next=https%3A%2F%2Fu%3Ap%40x%2F', 'next=[Filtered]'],
    ['next=https%3A%2F%2Fx%2F%3Fpage%3D2', 'next=https%3A%2F%2Fx%2F%3Fpage%3D2'],
    ['q=Bearer%20abcdef123', 'q=[Filtered]'],
    ['q=Bearer+abcdef123', 'q=[Filtered]'],
    ['q=bearer', 'q=bearer'],
    ['0123456789abcdef', '[Filtered]'],
    ['a=1&0123456789abcdef0', 'a=1&[Filtered]'],
    ['wsdl', 'wsdl'],
    [
      'myapikey=1&pin=1234&shipping=2&userToken=x',
      'myapikey=[Filtered]&pin=[Filtered]&shipping=2&userToken=[Filtered]',
    ],
    ['100%=1&q=%zz', '100%=1&q=%zz'],
  ])('cleans the query %s', (query, expected) => {
    expect(new Privacy().clean('url.query', query)).toBe(expected);
    expect(new Privacy().clean('url.full', `https://h.test/?${query}`)).toBe(`https://h.test/?${expected}`);
  });

  it.each([
    ['login failed: password=hunter2, retry', 'login failed: password=[Filtered], retry'],
    ['{"user":"a","dbPassword": "hun ter"}', '{"user":"a","dbPassword": [Filtered]}'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer [Filtered]'],
    ['authorization: Basic dTpw', 'authorization: Basic [Filtered]'],
    ['got Bearer abcdef123 from x', 'got Bearer [Filtered] from x'],
    ['bad eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'bad [Filtered]'],
    ['key AKIAIOSFODNN7EXAMPLE used', 'key [Filtered] used'],
    ['at postgres://u:p@db/x\n    at file:///a.js:1', 'at postgres://[Filtered]@db/x\n    at file:///a.js:1'],
    [
      "insert into users (email) values ('a@b.test') - duplicate key value violates unique constraint",
      'insert into users (email) values (?) - duplicate key value violates unique constraint',
    ],
    [
      'error: select * from users where id = 4711 - relation does not exist\n    at a.js:1',
      'error: select * from users where id = ? - relation does not exist\n    at a.js:1',
    ],
    ['password authentication failed for user "a"', 'password authentication failed for user "a"'],
    ['Unexpected token < in JSON', 'Unexpected token < in JSON'],
    ['(code: 42P01)', '(code: 42P01)'],
  ])('cleans the message %s', (text, expected) => {
    expect(cleanText(text)).toBe(expected);
    expect(new Privacy().clean('exception.message', text)).toBe(expected);
  });

  it('hides a secret in any place, and changes nothing twice', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{12,30}$/).map((text) => `S3cr${text}`);
    const surrounding = fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/["'=&;?#\s<>%+]/g, '.'));
    const encodings = [
      (text: string) => text,
      encodeURIComponent,
      (text: string) => encodeURIComponent(encodeURIComponent(text)),
    ];
    const names = ['password', 'api_key', 'accessToken', 'myapikey', 'client_secret'];
    fc.assert(
      fc.property(
        secret,
        surrounding,
        fc.constantFrom(...names),
        fc.constantFrom(...encodings),
        (value, word, name, encode) => {
          const address = `https://x.test/?${name}=${value}`;
          const texts = [
            `${word} ${name}=${value}`,
            `${word} ${name}: ${value} ${word}`,
            `https://h.test/?next=${encode(address)}`,
          ];
          for (const text of texts) {
            const sent = cleanText(text);
            expect(sent).not.toContain(value);
            expect(cleanText(sent)).toBe(sent);
          }
        },
      ),
    );
  });

  it.each([
    'a://',
    '?a',
    'a=',
    'a://b@',
    'password ',
    'password="',
    'bearer ',
    'eyJ',
    'select ',
    ' - ',
    '%25',
    '?a=%2525',
    "'",
  ])('takes linear time for many %s', (text) => {
    const begun = performance.now();
    cleanText(`x://y ${text.repeat(100_000)}`);
    cleanText(`select ${text.repeat(100_000)}`);
    new Privacy().clean('url.query', `a=${text.repeat(100_000)}`);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
