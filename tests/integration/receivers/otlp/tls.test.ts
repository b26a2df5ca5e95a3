import * as v from 'valibot';
import { reloadIntervalMs, serverTlsConfig } from '../../../../src/engine/schema/tls.ts';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { SecureClientSessionOptions } from 'node:http2';
import { request } from 'node:https';
import type { SecureVersion } from 'node:tls';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spansBatch } from '../../../support/components/batches.ts';
import { hasOpenssl, SelfSignedCertificates } from '../../../support/network/self-signed-certificates.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { GrpcCaller } from './grpc-caller.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = Buffer.from(spansBatch(['a']).chunks[0] as Uint8Array);
let certificates: SelfSignedCertificates;
const file = (name: string): string => certificates.file(name);
const pem = (name: string): Buffer => certificates.read(name);

interface Caller {
  /** The client presents its certificate. */
  readonly known?: boolean;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly ciphers?: string;
  readonly ecdhCurve?: string;
}

const same = (bytes: Buffer): Buffer => bytes;

const server = (): Record<string, string> => ({ cert_file: file('server.pem'), key_file: file('server.key') });

async function postHttp(endpoint: string, { known = false, ...limits }: Caller = {}): Promise<number> {
  const identity = known ? { cert: pem('client.pem'), key: pem('client.key') } : {};
  const headers = { 'content-type': 'application/x-protobuf' };
  const options = {
    method: 'POST',
    ca: pem('server.pem'),
    headers,
    ...limits,
    agent: false,
    servername: '',
    ...identity,
  };
  const post = request(`https://${endpoint}/v1/traces`, options);
  post.end(spans);
  const [response] = (await once(post, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

async function callGrpc(endpoint: string, { known = false }: Caller = {}): Promise<number> {
  const identity = known ? ([pem('client.key'), pem('client.pem')] as const) : [];
  const client = new Client(endpoint, credentials.createSsl(pem('server.pem'), ...identity));
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const { promise, resolve } = Promise.withResolvers<number>();
  client.makeUnaryRequest(path, same, same, spans, (error) => resolve(error?.code ?? 0));
  return await promise.finally(() => client.close());
}

/** The status, or undefined without a connection. */
async function callHttp2(
  endpoint: string,
  options: Pick<SecureClientSessionOptions, 'ca' | 'minVersion' | 'maxVersion'> = {},
): Promise<number | undefined> {
  using caller = new GrpcCaller(endpoint, { ca: pem('server.pem'), servername: '', ...options });
  return (await caller.call(spans)).status;
}

describe.skipIf(!hasOpenssl)('with certificates', () => {
  beforeAll(() => {
    certificates = new SelfSignedCertificates('server', 'client');
  });

  afterAll(() => certificates[Symbol.dispose]());

  it('takes requests over both protocols', async () => {
    await using receiver = await ReceiverUnderTest.start({ http: { tls: server() }, grpc: { tls: server() } });
    expect(await postHttp(receiver.endpoint('http'))).toBe(200);
    expect(await callGrpc(receiver.endpoint('grpc'))).toBe(0);
    await expect(fetch(receiver.httpUrl)).rejects.toThrow('fetch failed');
    expect(receiver.batches).toHaveLength(2);
  });

  it('takes only clients with a certificate that it knows, if it knows any', async () => {
    const tls = { ...server(), client_ca_file: file('client.pem') };
    await using receiver = await ReceiverUnderTest.start({ http: { tls }, grpc: { tls } });
    await expect(postHttp(receiver.endpoint('http'))).rejects.toThrow();
    expect(await callGrpc(receiver.endpoint('grpc'))).not.toBe(0);
    expect(await postHttp(receiver.endpoint('http'), { known: true })).toBe(200);
    expect(await callGrpc(receiver.endpoint('grpc'), { known: true })).toBe(0);
  });

  it('refuses TLS older than it may be', async () => {
    const tls = { ...server(), min_version: '1.3' };
    await using receiver = await ReceiverUnderTest.start({ http: { tls }, grpc: { tls } });
    await expect(postHttp(receiver.endpoint('http'), { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect(await postHttp(receiver.endpoint('http'))).toBe(200);
    expect(await callHttp2(receiver.endpoint('grpc'), { maxVersion: 'TLSv1.2' })).toBeUndefined();
    expect(await callHttp2(receiver.endpoint('grpc'))).toBe(0);
  });

  it('takes certificates that are part of the configuration, and no TLS newer than it may be', async () => {
    const tls = { cert_pem: pem('server.pem').toString(), key_pem: pem('server.key').toString(), max_version: '1.2' };
    await using receiver = await ReceiverUnderTest.start({ http: { tls }, grpc: { tls } });
    for (const version of ['1.2', '1.3'] as const) {
      const [status, code] = version === '1.2' ? [200, 0] : [undefined, undefined];
      const options = { minVersion: `TLSv${version}` } as const;
      expect(await postHttp(receiver.endpoint('http'), options).catch(() => undefined)).toBe(status);
      expect(await callHttp2(receiver.endpoint('grpc'), options)).toBe(code);
    }
  });

  it('offers only its ciphers and curves', async () => {
    const cipher = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
    const tls = { ...server(), max_version: '1.2', cipher_suites: [cipher], curve_preferences: ['P384'] };
    await using receiver = await ReceiverUnderTest.start({ http: { tls } });
    const post = (options: Caller): Promise<number | undefined> =>
      postHttp(receiver.endpoint('http'), options).catch(() => undefined);
    expect(await post({})).toBe(200);
    expect(await post({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBeUndefined();
    expect(await post({ ecdhCurve: 'X25519' })).toBeUndefined();
  });

  it('shows new certificates to the connections that come after reload_interval', async () => {
    using replaced = new SelfSignedCertificates('server', 'next');
    const tls = {
      cert_file: replaced.file('server.pem'),
      key_file: replaced.file('server.key'),
      reload_interval: '20ms',
    };
    await using receiver = await ReceiverUnderTest.start({ grpc: { tls } });
    const endpoint = receiver.endpoint('grpc');
    expect(await callHttp2(endpoint, { ca: replaced.read('server.pem') })).toBe(0);
    copyFileSync(replaced.file('next.key'), tls.key_file);
    copyFileSync(replaced.file('next.pem'), tls.cert_file);
    await waitFor(async () => (await callHttp2(endpoint, { ca: replaced.read('next.pem') })) === 0, {
      what: 'the new one',
    });
  });
});

function interval(keys: object): number {
  return reloadIntervalMs(v.parse(serverTlsConfig, { cert_pem: 'a', key_pem: 'b', ...keys }));
}

it('notices changed authorities of clients after ten seconds, with client_ca_file_reload', () => {
  expect(interval({})).toBe(0);
  expect(interval({ client_ca_file_reload: true })).toBe(10_000);
  expect(interval({ client_ca_file_reload: true, reload_interval: '1s' })).toBe(1000);
});

it.each([
  [{}, 'needs cert_file and key_file, or cert_pem and key_pem'],
  [{ cert_file: 'a' }, 'needs cert_file and key_file, or cert_pem and key_pem'],
  [{ cert_file: 'a', cert_pem: 'b', key_pem: 'c' }, 'both as a file and as PEM'],
  [{ cert_pem: 'a', key_pem: 'b', tpm: { enabled: true } }, 'Expected never'],
])('refuses %j', (tls, message) => {
  const { issues = [] } = v.safeParse(serverTlsConfig, tls);
  expect(issues.map((issue) => issue.message).join()).toContain(message);
});

it('names the key and the file that cannot be read', async () => {
  const tls = { cert_file: '/no/such.pem', key_file: import.meta.filename };
  const started = ReceiverUnderTest.start({ http: { tls } });
  await expect(started).rejects.toThrow('tls.cert_file: /no/such.pem cannot be read');
});
