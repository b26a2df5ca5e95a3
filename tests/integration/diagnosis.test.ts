import { expect, it } from 'vitest';
import { otlpHttpExporter } from '../../src/components/exporters/otlp-http/factory.ts';
import { sentryExporter } from '../../src/components/exporters/sentry/factory.ts';
import { findingsOf } from '../support/components/findings.ts';

it('otlp_http looks at the server of each of its signals once, and names what is not set or read', async () => {
  const factory = otlpHttpExporter;
  const endpoint = 'http://127.0.0.1:1';
  const refused = { severity: 'error', what: expect.stringContaining('http://127.0.0.1:1 cannot be reached') };
  expect(await findingsOf(factory, { endpoint }, ['traces', 'metrics'])).toMatchObject([refused]);
  expect(await findingsOf(factory, { traces_endpoint: endpoint }, ['metrics'])).toMatchObject([
    { severity: 'error', what: expect.stringContaining('set endpoint or metrics_endpoint') },
  ]);
  expect(await findingsOf(factory, { endpoint, tls: { ca_file: '/nowhere' } }, ['traces'])).toMatchObject([
    { severity: 'error', what: expect.stringContaining('the TLS file /nowhere cannot be read') },
  ]);
});

it('sentry looks at where its dsn leads, and does not reveal the key', async () => {
  const factory = sentryExporter;
  expect(await findingsOf(factory, { dsn: '' })).toMatchObject([{ severity: 'warning', repair: 'Set dsn' }]);
  const [found] = await findingsOf(factory, { dsn: 'http://publickey@127.0.0.1:1/7' });
  expect(found).toMatchObject({
    severity: 'error',
    what: expect.stringContaining('http://127.0.0.1:1 cannot be reached'),
  });
  expect(JSON.stringify(found)).not.toContain('publickey');
});
