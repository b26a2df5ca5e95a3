import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../support/wait-for.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../support/network/self-signed-certificates.ts';
import { ExporterUnderTest, gauge } from '../../../../src/components/exporters/prometheus/exporter-under-test.ts';

describe.skipIf(!hasOpenssl)('with certificates', () => {
  let certificates: SelfSignedCertificates;
  beforeAll(() => {
    certificates = new SelfSignedCertificates('server', 'client');
  });
  afterAll(() => certificates[Symbol.dispose]());

  const tls = (): Record<string, string> => ({
    cert_file: certificates.file('server.pem'),
    key_file: certificates.file('server.key'),
  });

  async function scrape(endpoint: string, options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const trust = { ca: certificates.read('server.pem'), agent: false, servername: '' };
    const [response] = (await once(get(`https://${endpoint}/metrics`, { ...trust, ...options }), 'response')) as [
      IncomingMessage,
    ];
    return text(response);
  }

  test('the page is served over HTTPS, and not over HTTP', async () => {
    await using exporter = await ExporterUnderTest.start({ tls: tls() });
    await exporter.consume([gauge('g', 1)]);
    expect(await scrape(exporter.endpoint)).toContain('\ng 1\n');
    await expect(exporter.scrape()).rejects.toThrow('fetch failed');
  });

  test('only scrapers with a certificate of a known authority get the page, if there is one', async () => {
    await using exporter = await ExporterUnderTest.start({
      tls: { ...tls(), client_ca_file: certificates.file('client.pem') },
    });
    const identity = { cert: certificates.read('client.pem'), key: certificates.read('client.key') };
    expect(await scrape(exporter.endpoint, identity)).toBe('');
    await expect(scrape(exporter.endpoint)).rejects.toThrow();
  });

  test('a certificate that was replaced is used, and one that is broken changes nothing', async () => {
    const [cert, key] = [certificates.file('live.pem'), certificates.file('live.key')];
    const replace = (name: string): void => {
      writeFileSync(key, certificates.read(`${name}.key`));
      writeFileSync(cert, certificates.read(`${name}.pem`));
    };
    replace('client');
    await using exporter = await ExporterUnderTest.start({
      tls: { cert_file: cert, key_file: key, reload_interval: '20ms' },
    });
    await expect(scrape(exporter.endpoint)).rejects.toThrow();
    replace('server');
    const works = (): Promise<boolean> =>
      scrape(exporter.endpoint).then(
        () => true,
        () => false,
      );
    await waitFor(works, { timeoutMs: 5000, what: 'the new certificate' });
    writeFileSync(cert, 'broken');
    const told = (): boolean => exporter.log.lines.some(({ msg }) => String(msg).includes('could not be reloaded'));
    await waitFor(told, { timeoutMs: 5000, what: 'a line in the log' });
    expect(await works()).toBe(true);
  });

  test('a TLS version below the least is refused', async () => {
    await using exporter = await ExporterUnderTest.start({ tls: { ...tls(), min_version: '1.3' } });
    await expect(scrape(exporter.endpoint, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  test('a file that cannot be read stops the start with its name', async () => {
    const missing = ExporterUnderTest.start({ tls: { ...tls(), key_file: '/nowhere/server.key' } });
    await expect(missing).rejects.toThrow('tls.key_file: /nowhere/server.key cannot be read');
  });
});
