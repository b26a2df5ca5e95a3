import { expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';
import { redactConfig } from './redact.ts';
import { componentFactories } from '../../components/index.ts';

async function load(authenticator: string, extensions = '[health_check, basic_auth/second]') {
  const text = `
receivers: { otlp: { protocols: { grpc: { auth: { authenticator: ${authenticator} } } } } }
exporters: { debug: }
extensions:
  health_check:
  basic_auth/second: { htpasswd: { inline: 'ann:topsecret' } }
  bearertokenauth: { tokens: [anothersecret] }
  basicauth/broken: { htpasswd: { inline: 'nocolon' } }
service:
  extensions: ${extensions}
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
`.replace(/.*basicauth.broken.*\n/, (line) => (authenticator === 'basicauth/broken' ? line : ''));
  return await loadConfig({
    sources: [{ name: 'c.yaml', text }],
    sets: [],
    environment: {},
    factories: componentFactories([]),
  });
}

const WHERE = 'c.yaml:2 receivers::otlp::protocols::grpc::auth::authenticator:';

it('accepts an authenticator that the service runs, by its id', async () => {
  expect((await load('basic_auth/second')).config.service.extensions).toContain('basic_auth/second');
  expect((await load('bearertokenauth', '[bearertokenauth]')).config.service.extensions).toEqual(['bearertokenauth']);
});

it.each([
  ['oidc', `${WHERE} refers to oidc, which is not configured in extensions`],
  ['health_check', `${WHERE} refers to health_check, which cannot be used as authenticator`],
  ['bearertokenauth', `${WHERE} refers to bearertokenauth, which is not running: add it to service::extensions`],
])('refuses %s in its line', async (id, message) => {
  await expect(load(id)).rejects.toThrow(ConfigError);
  await expect(load(id)).rejects.toThrow(message);
});

it('does not report an authenticator twice that is itself wrong', async () => {
  const broken = load('basicauth/broken', '[basicauth/broken]');
  await expect(broken).rejects.toThrow('line 1 is not user:password');
  await expect(broken).rejects.not.toThrow('authenticator:');
});

it('prints a configuration without its users and tokens', async () => {
  const { config, root } = await load('basic_auth/second');
  expect(JSON.stringify([redactConfig(root, config), config])).not.toMatch(/topsecret|anothersecret/);
});
