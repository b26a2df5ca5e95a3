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

  it.each(['a://', '?a', 'a=', 'a://b@'])('takes linear time for many %s', (text) => {
    const begun = performance.now();
    cleanText(`x://y ${text.repeat(100_000)}`);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
