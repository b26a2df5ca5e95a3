import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyValue } from '../engine/otlp/any-value.ts';
import { cleanName, cleanText, Privacy } from './privacy.ts';

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
      'session.id': '[Filtered]',
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
    ['http://h/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln/x', 'http://h/reset/[Filtered]/x'],
    [
      'https://api.telegram.org/bot123456789:AAF0123456789abcdefghijklmnopqrstuv/getMe',
      'https://api.telegram.org/bot[Filtered]/getMe',
    ],
    [
      'https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx',
      'https://hooks.slack.com/services/[Filtered]',
    ],
    [
      'https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH',
      'https://discord.com/api/webhooks/123456789012345678/[Filtered]',
    ],
    ['/keys/github_pat_0123456789abcdefghijkl', '/keys/[Filtered]'],
    ['/keys/glpat-0123456789abcdefghij', '/keys/[Filtered]'],
    ['/keys/sk-proj-0123456789abcdefghij', '/keys/[Filtered]'],
    ['/docs/sk-learn-introduction-to-clusters', '/docs/sk-learn-introduction-to-clusters'],
    ['/bots/123:abc', '/bots/123:abc'],
    ['see http://h/?code=1&x=2', 'see http://h/?code=[Filtered]&x=2'],
  ])('cleans the addresses in a text: %s', (text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  it.each([
    'pass%77ord',
    'user[password]',
    'user%5Bpassword%5D',
    'db_pass',
    'AWSAccessKeyId',
    'otp',
    'SAMLResponse',
    'pw',
    'user_pw',
    'db_pw',
    'dbpw',
    'passcode',
    'signing_key',
    'code_verifier',
    'oauth_verifier',
    'hmac',
  ])('knows the secret parameter %s', (name) => {
    expect(new Privacy().clean('url.query', `a=1;${name}=x`)).toBe(`a=1;${name}=[Filtered]`);
    expect(new Privacy().clean('url.full', `http://h/?a=1;${name}=x`)).toBe(`http://h/?a=1;${name}=[Filtered]`);
    expect(new Privacy().clean('http.target', `/p?a=1;${name}=x`)).toBe(`/p?a=1;${name}=[Filtered]`);
  });

  it.each([
    ['redirect=https%3A%2F%2Fx%2F%3Ftoken%3Dabc&page=2', 'redirect=[Filtered]&page=2'],
    ['next=https%253A%252F%252Fx%252F%253Fapi_key%253Dabc', 'next=[Filtered]'],
    ['next=https%3A%2F%2Fu%3Ap%40x%2F', 'next=[Filtered]'],
    ['next=https%3A%2F%2Fx%2F%3Fpage%3D2', 'next=https%3A%2F%2Fx%2F%3Fpage%3D2'],
    ['q=Bearer%20abcdef123', 'q=[Filtered]'],
    ['q=Bearer+abcdef123', 'q=[Filtered]'],
    ['q=bearer', 'q=bearer'],
    ['q=Basic%20dTpw', 'q=[Filtered]'],
    ['q=basic+usage', 'q=basic+usage'],
    ['q=glpat-0123456789abcdefghij', 'q=[Filtered]'],
    ['0123456789abcdef', '[Filtered]'],
    ['a=1&0123456789abcdef0', 'a=1&[Filtered]'],
    ['wsdl', 'wsdl'],
    [
      'myapikey=1&pin=1234&shipping=2&userToken=x',
      'myapikey=[Filtered]&pin=[Filtered]&shipping=2&userToken=[Filtered]',
    ],
    ['100%=1&q=%zz', '100%=1&q=%zz'],
    ['q=%7B%22password%22%3A%22hunter2%22%7D&a=1', 'q=[Filtered]&a=1'],
    ['q=%257B%2522password%2522%253A%2522hunter2%2522%257D', 'q=[Filtered]'],
    ['q=%7B%22colour%22%3A%22red%22%7D', 'q=%7B%22colour%22%3A%22red%22%7D'],
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
    ['got Basic dTpw from x', 'got Basic [Filtered] from x'],
    ['got basic%20Ym9iOmh1bnRlcjI%3D', 'got basic%20[Filtered]'],
    ['Basic authentication is required', 'Basic authentication is required'],
    ['Basic Auth is off, basic usage', 'Basic Auth is off, basic usage'],
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
    ['key: -----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY----- read', 'key: [Filtered] read'],
    ['-----BEGIN PRIVATE KEY-----\\nMIIEcut', '[Filtered]'],
    ['-----BEGIN PUBLIC KEY-----\nMIIE', '-----BEGIN PUBLIC KEY-----\nMIIE'],
    ['curl -u bob:hunter2 https://h.test/', 'curl -u [Filtered] https://h.test/'],
    ["curl --user 'bob:hunter2' h.test", "curl --user '[Filtered]' h.test"],
    ['docker run -u 1000:1000 image', 'docker run -u 1000:1000 image'],
    ['psql --password hunter2 -h x', 'psql --password [Filtered] -h x'],
    ['psql --password -h x', 'psql --password -h x'],
    ['secret_key=hunter2 x', 'secret_key=[Filtered] x'],
    ["select a from t where pw='hunter2'", 'select a from t where pw=[Filtered]'],
    ['body password%3Dhunter2 x', 'body password%3D[Filtered] x'],
    [String.raw`{\"password\":\"hun\\\"ter2\",\"a\":1}`, String.raw`{\"password\":[Filtered],\"a\":1}`],
    [String.raw`{"password":"hun\"ter2","a":1}`, '{"password":[Filtered],"a":1}'],
    [String.raw`{\\\"password\\\":\\\"hunter2\\\"}`, String.raw`{\\\"password\\\":[Filtered]}`],
    ['password "hun ter2" is wrong', 'password [Filtered] is wrong'],
    ["ALTER USER a PASSWORD 'hunter2'", 'ALTER USER a PASSWORD [Filtered]'],
    ['api.key=hunter2', 'api.key=[Filtered]'],
    ['GET /cb?code=hunter2&page=2 200', 'GET /cb?code=[Filtered]&page=2 200'],
    ['Token "x" is invalid', 'Token "x" is invalid'],
    ["Map(1) { 'password' => 'hunter2' }", "Map(1) { 'password' => [Filtered] }"],
    ["{ token: [ 'hunter2', 'x]y' ], a: [ 'b' ] }", "{ token: [Filtered], a: [ 'b' ] }"],
    ["{ authorization: [ 'hunter2' ] }", "{ authorization: [ '[Filtered]' ] }"],
    [
      "['host','h','x-api-key','hunter2','cookie','sid=hunter2','accept','text/html']",
      "['host','h','x-api-key',[Filtered],'cookie',[Filtered],'accept','text/html']",
    ],
    ["[['x-api-key', 'hunter2'], ['accept', '*']]", "[['x-api-key', [Filtered]], ['accept', '*']]"],
    ["allowed: ['authorization', 'content-type', 'x-api-key', 'accept']", undefined],
    ["order: ['querystring', 'cookie', 'header']", undefined],
    ["setHeader('Access-Control-Allow-Credentials', 'true')", undefined],
    ["paths: ['req.authorization', 'url']", undefined],
    ['required: ["user", "password", "email"]', undefined],
    ["{name:'password',value:'hunter2'}", "{name:'password',value:[Filtered]}"],
    ["{ name: 'sid',\n    value: 'hunter2' } at pass", "{ name: 'sid',\n    value: [Filtered] } at pass"],
    ['- name: DB_PASSWORD\n  value: hunter2\n', '- name: DB_PASSWORD\n  value: [Filtered]\n'],
    ['<add key="password" value="hunter2"/>', '<add key="password" value=[Filtered]/>'],
    ["{name:'compass',value:'north'}", undefined],
    ['postgres://u:p@hunter2@h/d', 'postgres://[Filtered]@h/d'],
    ['postgres://u:p/hunter2@h/d', 'postgres://[Filtered]@h/d'],
    ['postgres://u:p#hunter2@h/d', 'postgres://[Filtered]@h/d'],
    ['redis://:p/hunter2@h', 'redis://[Filtered]@h'],
    ['{"a":"redis://u:p@h:6379","b":"a@b.test"}', '{"a":"redis://[Filtered]@h:6379","b":"a@b.test"}'],
    ['at http://h:3000/node_modules/a@1.2.3/b.js http://[::1]:80/a@2', undefined],
    ['at http://h/node_modules/a@1.2.3/b.js?x=a@b.test', undefined],
    ['<password>hunter2</password><b>1</b>', '<password>[Filtered]</password><b>1</b>'],
    ['<w:Password Type="a">hun ter</w:Password>', '<w:Password Type="a">[Filtered]</w:Password>'],
    ['usage: login --token <token> FILE', 'usage: login --token [Filtered] FILE'],
    ['usage: login <token> FILE <b>', undefined],
    ["CREATE USER a IDENTIFIED BY 'hunter2'", 'CREATE USER a IDENTIFIED BY [Filtered]'],
    ["CREATE USER a IDENTIFIED WITH plain AS 'hunter2'", 'CREATE USER a IDENTIFIED WITH plain AS [Filtered]'],
    ["identified by the user 'a'", undefined],
    ['body %7B%22password%22%3A%22hunter2%22%7D', 'body %7B%22password%22%3A[Filtered]'],
    ['code_verifier=hunter2', 'code_verifier=[Filtered]'],
    ['opened /reset/6f1c2f60-9a54-4c3e-8d0e-2b8c1d7a9e11 twice', 'opened /reset/[Filtered] twice'],
    ['/reset/x7Kd93kQz0P1', '/reset/[Filtered]'],
    ['at /srv/reset/index.js:1:2', undefined],
    ['user: bob pass: hunter2', 'user: bob pass: [Filtered]'],
    ["{ pass: 'hunter2' }", '{ pass: [Filtered] }'],
    ['pass: 12, fail: 3', undefined],
    ['pass: true', undefined],
    ['compass: north', undefined],
    ['the token is a8f3bc9912', 'the token is [Filtered]'],
    ['the password was "hunter2"', 'the password was "[Filtered]"'],
    ['Token is invalid, password is required', undefined],
    ['the token is base64-encoded, the secret is 32bytes long', undefined],
    ['AUTH hunter2', 'AUTH [Filtered]'],
    ['AUTH default hunter2', 'AUTH default [Filtered]'],
    ['AUTH letmein', 'AUTH [Filtered]'],
    ['sent AUTH hunter2 to redis', 'sent AUTH [Filtered] to redis'],
    ['AUTH ?', undefined],
    ['auth failed', undefined],
    ['the AUTH step has no user', undefined],
    ['mysql -h db -u root -phunter2 shop', 'mysql -h db -u root -p[Filtered] shop'],
    ['mysqldump -phunter2', 'mysqldump -p[Filtered]'],
    ['mysql -p shop', undefined],
    ['mkdir -parents a', undefined],
    ['pass\u200Bword=hunter2', 'password=[Filtered]'],
    ['p\u00ADa\u2060ssword: hunter2', 'password: [Filtered]'],
    ['👩\u200D💻 writes', undefined],
  ])('cleans the message %s', (text, expected = text) => {
    expect(cleanText(text)).toBe(expected);
    expect(new Privacy().clean('exception.message', text)).toBe(expected);
    expect(cleanText(expected), 'again').toBe(expected);
  });

  it.each([
    ['GET /cb?token=hunter2', 'GET /cb?token=[Filtered]'],
    ["SELECT a FROM t WHERE b = 'hunter2' AND c = 5", 'SELECT a FROM t WHERE b = ? AND c = ?'],
    ['SELECT shop.orders', 'SELECT shop.orders'],
    ['GET /orders/:id', 'GET /orders/:id'],
    ['update of 5 tables', 'update of 5 tables'],
  ])('cleans the name %s', (name, expected) => {
    expect(cleanName(name)).toBe(expected);
  });

  it.each([
    ['/reset-password/4f9c2ab17d', '/reset-password/[Filtered]'],
    ['/reset/x7Kd93kQz0P1', '/reset/[Filtered]'],
    ['/verify/123456abc', '/verify/[Filtered]'],
    ['/reset/a8f3bc9912', '/reset/[Filtered]'],
    ['/reset/x7Kd-93kQ-z0P1', '/reset/[Filtered]'],
    ['/reset/6f1c2f60-9a54-4c3e-8d0e-2b8c1d7a9e11', '/reset/[Filtered]'],
    ['/reset/reset-2024', '/reset/reset-2024'],
    ['/verify/oauth2', '/verify/oauth2'],
    ['/reset-password/4f9c2ab17d03e8f6', '/reset-password/[Filtered]'],
    ['/invite/6f1c2f60-9a54-4c3e-8d0e-2b8c1d7a9e11/accept', '/invite/[Filtered]/accept'],
    ['/orders/6f1c2f60-9a54-4c3e-8d0e-2b8c1d7a9e11', '/orders/6f1c2f60-9a54-4c3e-8d0e-2b8c1d7a9e11'],
    ['/orders/507f1f77bcf86cd799439011/items', '/orders/507f1f77bcf86cd799439011/items'],
    ['/s/9e107d9d372bb6826bd81d3542a419d6', '/s/[Filtered]'],
    ['/commit/2fd4e1c67a2d28fced849ee1bb76e7391b93eb12', '/commit/2fd4e1c67a2d28fced849ee1bb76e7391b93eb12'],
    ['/d/pX3vQ9-kLm2Zt_7RbY0aWc5HdE8uFgJ1/x', '/d/[Filtered]/x'],
    ['/d/k3v9q2x8m1z7t4r6b5y0a3w2c9h8d1e7', '/d/[Filtered]'],
    ['/me/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', '/me/[Filtered]'],
    ['/cart;jsessionid=B2F0C1D9', '/cart;jsessionid=[Filtered]'],
    ['/verify/how-to-verify-an-address-in-2024', '/verify/how-to-verify-an-address-in-2024'],
    ['/blog/10-things-nobody-told-you-about-node-22', '/blog/10-things-nobody-told-you-about-node-22'],
    ['/rpc/getAllOpenOrdersOfTheCustomer2WithDetails', '/rpc/getAllOpenOrdersOfTheCustomer2WithDetails'],
    ['/verify/123456', '/verify/[Filtered]'],
    ['/password-reset/8841/done', '/password-reset/[Filtered]/done'],
    ['/magic-link/7F3K9Q', '/magic-link/[Filtered]'],
    ['/password/kJhGfDsAqWXrTYvIoPLKmNbV', '/password/[Filtered]'],
    ['/signup/x7Kq2mPz9LwT4vRb1NcY8sHd', '/signup/[Filtered]'],
    ['/join/x7Kq2mPz9-wT4vRb1NcY8sHd', '/join/[Filtered]'],
    ['/download/k3v9q2x8m1z7t4r6b5y0a3w2/file.zip', '/download/[Filtered]/file.zip'],
    ['/verify/step-2', '/verify/step-2'],
    ['/verify/X509CERT', '/verify/X509CERT'],
    ['/orders/123456', '/orders/123456'],
    ['/password/HowToParseJSONFromAPIInURL', '/password/HowToParseJSONFromAPIInURL'],
    ['/download/setup-win32x64-2024-edition', '/download/setup-win32x64-2024-edition'],
    ['/download/507f1f77bcf86cd799439011', '/download/507f1f77bcf86cd799439011'],
    ['/join/our-community-of-2000-developers', '/join/our-community-of-2000-developers'],
    ...[
      '/products/USB-C-to-HDMI-Adapter-4K60Hz-TypeC-Thunderbolt3',
      '/products/USB-C-4K60Hz-PD100W-8K30Hz-M1Pro-M2Max-Hub7in1',
    ].map((path) => [path, path]),
    ['/static/main.2fd4e1c67a2d28fced849ee1bb76e739.js', '/static/main.2fd4e1c67a2d28fced849ee1bb76e739.js'],
  ])('cleans the path %s in each attribute and in names', (path, expected) => {
    const privacy = new Privacy();
    expect(privacy.clean('url.path', path)).toBe(expected);
    expect(privacy.clean('http.target', `${path}?page=2&token=x`)).toBe(`${expected}?page=2&token=[Filtered]`);
    expect(privacy.clean('url.full', `https://h.test:8443${path}`)).toBe(`https://h.test:8443${expected}`);
    expect(privacy.clean('url.path', expected), 'again').toBe(expected);
    if (!path.includes(';')) expect(cleanName(`GET ${path}`)).toBe(`GET ${expected}`);
  });

  it('hides bytes that hold a secret', () => {
    const privacy = new Privacy();
    const harmless = Buffer.from([0, 255, 97]);
    expect(privacy.clean('body', Buffer.from('\u00ff password=hunter2'))).toBe('[Filtered]');
    expect(privacy.clean('url.query', Buffer.from('code=hunter2'))).toBe('[Filtered]');
    expect(privacy.clean('body', harmless)).toBe(harmless);
    expect(privacy.clean('app.api.key', 'x')).toBe('[Filtered]');
    expect(privacy.clean('url.query', 'session=hunter2&JSESSIONID=x&a=1')).toBe(
      'session=[Filtered]&JSESSIONID=[Filtered]&a=1',
    );
    expect(privacy.clean('pg.session', 'waits')).toBe('waits');
    const body = new Map([['db.statement', "select a from t where b = 'hunter2' and c = 5"]]);
    expect(privacy.clean('body', body)).toEqual(new Map([['db.statement', 'select a from t where b = ? and c = ?']]));
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
});

it('cleans a text that comes again as it did the first time, whatever comes between', () => {
  const texts = Array.from({ length: 3000 }, (_, number) => `https://user:pass-${number}@shop.example/${number}`);
  for (const text of [...texts, ...texts]) {
    expect(cleanText(text)).toBe(text.replace(/user:.*@/, '[Filtered]@'));
  }
});
