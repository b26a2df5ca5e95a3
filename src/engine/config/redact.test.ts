import * as fc from 'fast-check';
import { dump, load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { componentFactories } from '../../components/index.ts';
import { packs } from '../../packs/index.ts';
import { loadConfig } from './load-config.ts';
import { redactConfig } from './redact.ts';

const TEXT = `
receivers:
  db_poller:
    datasource: \${env:DATABASE_URL}
    packs: { postgres_health: }
    resource_attributes: { note: "\${env:NOTE}", api-key: "\${env:PLAIN}" }
  sqlquery:
    driver: postgres
    datasource: \${env:KEYWORDS}
    queries: [{ sql: "\${env:SQL}", metrics: [{ metric_name: a, value_column: b }] }]
exporters:
  sentry: { dsn: "\${env:DSN}" }
  otlp_http: { endpoint: "\${env:ENDPOINT}", headers: { authorization: "\${env:PLAIN}" } }
extensions:
  bearer_token_auth: { token: "\${env:PLAIN}" }
  metrics_history: { rules: { notify: { slack: { webhook_url: "\${env:WEBHOOK}" } } } }
service:
  pipelines:
    metrics: { receivers: [db_poller, sqlquery], exporters: [otlp_http] }
    traces: { receivers: [], exporters: [] }
`.replace(/\n {4}traces.*/, '');

const SET = {
  DATABASE_URL: 'postgresql://siphon:hunter22@db:5432/coffee?sslmode=verify-full',
  KEYWORDS: 'postgresql://db/coffee',
  DSN: 'https://publickey@o1.ingest.sentry.io/42',
  ENDPOINT: 'http://127.0.0.1:4318',
  PLAIN: 'plain-token',
  WEBHOOK: 'https://chat.example/hooks/T0AB/B0CD/x7Kd93kQz0P1',
  NOTE: 'x',
  SQL: 'select 1',
};

async function printed(changes: Partial<typeof SET> = {}): Promise<string> {
  const loaded = await loadConfig({
    sources: [{ name: 'c.yaml', text: TEXT }],
    sets: [],
    environment: { ...SET, ...changes },
    factories: componentFactories(packs),
  });
  return dump(redactConfig(loaded.root, loaded.config), { noRefs: true, lineWidth: -1 });
}

/** Without the escapes of YAML, which would hide a secret from a search. */
function textsOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [String(value)];
}

describe('redactConfig', () => {
  it.each([
    ['DATABASE_URL', SET.DATABASE_URL, 'postgresql://siphon:[REDACTED]@db:5432/coffee?sslmode=verify-full'],
    ['DATABASE_URL', 'postgres://siphon@db/coffee', 'postgres://siphon@db/coffee'],
    ['DATABASE_URL', 'postgresql://db/coffee?user=a&password=b', 'postgresql://db/coffee?user=a&password=[REDACTED]'],
    ['DATABASE_URL', 'postgresql://postgres:postgres@db/x', 'postgresql://[REDACTED]:[REDACTED]@db/x'],
    ['KEYWORDS', 'host=db password=hunter22', "datasource: '[REDACTED]'"],
    ['DSN', SET.DSN, 'https://[REDACTED]@o1.ingest.sentry.io/42'],
    ['DSN', 'https://key1:secret1@sentry.example/42', 'https://[REDACTED]:[REDACTED]@sentry.example/42'],
    ['ENDPOINT', 'https://user1:hunter22@otlp.example/x', 'https://[REDACTED]:[REDACTED]@otlp.example/x'],
    ['ENDPOINT', 'https://otlp.example/@x?api_key=k1&b=1&Token=t1#f', '/@x?api_key=[REDACTED]&b=1&Token=[REDACTED]#f'],
    ['ENDPOINT', 'https://otlp.example/x#access_token=t1&a=2', '/x#access_token=[REDACTED]&a=2'],
    ['ENDPOINT', 'https://otlp.example/x#top', 'https://otlp.example/x#top'],
    ['ENDPOINT', 'https://e.example/hook/9fceb02d0ae598e95dc970b74767f19372d61af8/x', '/e.example/hook/[REDACTED]/x'],
    ['NOTE', 'see https://a.example/verify/123456', 'see https://a.example/verify/[REDACTED]'],
    [
      'ENDPOINT',
      'https://e.example/otlp/v1/tenants-of-the-shop-2024',
      'https://e.example/otlp/v1/tenants-of-the-shop-2024',
    ],
    ['DATABASE_URL', 'postgresql://step:q^G$FJ!@db/x', 'postgresql://step:[REDACTED]@db/x'],
    ['NOTE', 'see https://a.example/?sig=abc and x', 'see https://a.example/?sig=[REDACTED] and x'],
    ['NOTE', 'hunter22 plain-token publickey', '[REDACTED] [REDACTED] [REDACTED]'],
    ['NOTE', SET.DATABASE_URL, 'note: postgresql://siphon:[REDACTED]@db:5432/coffee'],
    ['PLAIN', 'https://hooks.example/T0/secretpath', "token: '[REDACTED]'"],
    ['WEBHOOK', SET.WEBHOOK, 'webhook_url: https://chat.example/[REDACTED]\n'],
    ['WEBHOOK', 'http://u:p@127.0.0.1:8065/hooks/abc?d=e#f', 'webhook_url: http://127.0.0.1:8065/[REDACTED]\n'],
    ['NOTE', `of ${SET.WEBHOOK} x7Kd93kQz0P1 and hooks`, 'note: of [REDACTED] [REDACTED] and hooks\n'],
    ['NOTE', 'https://hooks.slack.com/services/T0/B0/abcdef', 'note: https://hooks.slack.com/[REDACTED]\n'],
    ['ENDPOINT', 'https://hooks.example/otlp', 'endpoint: https://hooks.example/[REDACTED]\n'],
    ['PLAIN', 'x', "api-key: '[REDACTED]'"],
  ])('shows what can be compared of %s=%s', async (variable, value, expected) => {
    expect(await printed({ [variable]: value })).toContain(expected);
  });

  it('masks the password of keywords and values elsewhere too', async () => {
    const page = await printed({ KEYWORDS: String.raw`host=db password='se\'cret 1'`, NOTE: "of se'cret 1" });
    expect(page).toContain('note: of [REDACTED]');
  });

  it('lets no secret through, wherever it is', async () => {
    const secretText = fc
      .string({
        unit: fc.constantFrom(...Array.from('aZ09._~-!$&()*+,;=:@/?#[]{}%^|\\"\'`<>')),
        minLength: 4,
        maxLength: 24,
      })
      .map((text) => `q${text.trim()}q`);
    const encoded = secretText.map((text) => [text, encodeURIComponent(text)] as const);
    await fc.assert(
      fc.asyncProperty(encoded, secretText, encoded, async ([password, inUrl], token, [key, inQuery]) => {
        const page = await printed({
          DATABASE_URL: `postgresql://siphon:${inUrl}@db:5432/coffee`,
          KEYWORDS: `postgresql://db/coffee?user=a&password=${inUrl}`,
          DSN: 'https://publickey@sentry.example/1',
          ENDPOINT: `https://name:${inUrl}@otlp.example/v1?api_key=${inQuery}`,
          PLAIN: token,
          NOTE: `of ${password}, ${token}, ${key} and ${inUrl}`,
          SQL: `select '${password}' || '${key}' from x -- ${token}`,
        });
        const shown = textsOf(load(page)).join('\n');
        for (const text of [password, inUrl, token, key, inQuery]) expect(shown).not.toContain(text);
        expect(page).toContain('@db:5432/coffee');
      }),
      { numRuns: 100 },
    );
  });
});
