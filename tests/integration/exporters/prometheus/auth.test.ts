import { expect, it } from 'vitest';
import { Secret } from '../../../../src/engine/schema/secret.ts';
import { BasicAuthExtension } from '../../../../src/components/extensions/basic-auth/extension.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { ExporterUnderTest, gauge } from '../../../../src/components/exporters/prometheus/exporter-under-test.ts';

const auth = { authenticator: 'basic_auth' };
const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

/** Hash of the password pässwörd. */
const BCRYPT = '$2y$05$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G';

async function guarded(
  config: Record<string, unknown> = {},
  inline = 'prometheus:se:cret',
): Promise<ExporterUnderTest> {
  const { settings } = componentSettings('extension', 'basic_auth');
  const users = new BasicAuthExtension(settings, { htpasswd: { inline: new Secret(inline) } });
  await users.start();
  const exporter = await ExporterUnderTest.start({ auth, ...config }, { basic_auth: users });
  await exporter.consume([gauge('g', 1)]);
  return exporter;
}

const warnings = (exporter: ExporterUnderTest): unknown[] =>
  exporter.log.lines.filter(({ msg }) => String(msg).startsWith('Other machines'));

it('shows the page to who knows the password', async () => {
  await using exporter = await guarded();
  const answer = await exporter.scrape({ authorization: basic('prometheus:se:cret') });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('\ng 1\n')]);
});

it('shows the page to who knows the password behind a bcrypt hash', async () => {
  await using exporter = await guarded({}, `prometheus:${BCRYPT}`);
  const statuses = await Promise.all(
    ['prometheus:pässwörd', 'prometheus:wrong', 'prometheus:pässwörd'].map(
      async (credentials) => (await exporter.scrape({ authorization: basic(credentials) })).status,
    ),
  );
  expect(statuses).toEqual([200, 401, 200]);
});

it.each([
  ['no header', {}],
  ['another password', { authorization: basic('prometheus:secret') }],
  ['another user', { authorization: basic('ann:se:cret') }],
  ['another scheme', { authorization: 'Bearer se:cret' }],
  ['a long header', { authorization: `Basic ${'x'.repeat(10_000)}` }],
])('answers 401 and the scheme to %s, and shows nothing', async (_, headers: Record<string, string>) => {
  await using exporter = await guarded();
  const answer = await exporter.scrape(headers);
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="siphon", charset="UTF-8"',
  ]);
  expect(await answer.text()).not.toContain('g 1');
  expect((await fetch(`http://${exporter.endpoint}/nowhere`, { headers })).status).toBe(401);
  expect(JSON.stringify(exporter.log.lines)).not.toContain('cret');
});

it('warns of an address that others reach if nothing guards it', async () => {
  await using exposed = await ExporterUnderTest.start({ endpoint: '0.0.0.0:0' });
  expect(warnings(exposed)).toHaveLength(1);
  await using safe = await guarded({ endpoint: '0.0.0.0:0' });
  expect(warnings(safe)).toEqual([]);
});

it('does not start if its authenticator is not running', async () => {
  await expect(ExporterUnderTest.start({ auth })).rejects.toThrow('basic_auth is not running');
});
