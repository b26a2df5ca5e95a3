import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import { otlpHttpExporterConfig } from './config.ts';
import { otlpHttpExporter } from './factory.ts';
import { spansBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A backend that remembers what it got. */
async function startBackend(answer: Answer = (_, response) => response.end()) {
  const requests: { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: Buffer }[] = [];
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      requests.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** An answer that refuses one span. */
function partialSuccess(): Uint8Array {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.int64Field(1, 1n);
    writer.stringField(2, 'too old');
  });
  return writer.finish();
}

async function startExporter(config: Record<string, unknown>) {
  const { settings, lines, page } = componentSettings('exporter', 'otlp_http');
  const exporter = otlpHttpExporter.create(settings, v.parse(otlpHttpExporterConfig, config));
  await exporter.start(hostWith());
  cleanups.push(() => exporter.shutdown(AbortSignal.timeout(1000)));
  return { exporter, lines, page };
}

const one = spansBatch(['a']);
const two = spansBatch(['b']);
const batch = {
  ...one,
  chunks: [...one.chunks, ...two.chunks],
  itemCount: 2,
  sizeBytes: one.sizeBytes + two.sizeBytes,
};
const whole = Buffer.concat(batch.chunks);

describe('the otlp_http exporter', () => {
  it.each([
    ['none', (body: Buffer) => body],
    ['gzip', (body: Buffer) => gunzipSync(body)],
    ['zstd', (body: Buffer) => zstdDecompressSync(body)],
    ['deflate', (body: Buffer) => inflateSync(body)],
    ['zlib', (body: Buffer) => inflateSync(body)],
  ])('sends the chunks as they came, with compression %s', async (compression, decompress) => {
    const { requests, url } = await startBackend();
    const { exporter } = await startExporter({ endpoint: `${url}/base/`, compression, headers: { 'X-Key': 'secret' } });
    await exporter.consume(batch);
    expect(decompress(requests[0]!.body)).toEqual(whole);
    expect(requests[0]).toMatchObject({
      url: '/base/v1/traces',
      headers: { 'x-key': 'secret', 'content-type': 'application/x-protobuf' },
    });
    expect(requests[0]!.headers['content-encoding']).toBe(compression === 'none' ? undefined : compression);
  });

  it.each([
    ['gzip', 1, 9],
    ['zlib', 1, 9],
    ['zstd', 1, 19],
  ])('compresses %s at the given level', async (compression, low, high) => {
    const { requests, url } = await startBackend();
    const many = spansBatch(Array.from({ length: 500 }, (_, index) => `span ${index} of ${index % 7}`));
    for (const level of [low, high]) {
      const { exporter } = await startExporter({ endpoint: url, compression, compression_params: { level } });
      await exporter.consume(many);
    }
    expect(requests[1]!.body.length).not.toBe(requests[0]!.body.length);
  });

  it.each([
    ['gzip', 10],
    ['zstd', 23],
    ['none', 1],
  ])('refuses a level that %s does not have: %d', (compression, level) => {
    const keys = { endpoint: 'http://a.test', compression, compression_params: { level } };
    expect(v.safeParse(otlpHttpExporterConfig, keys).issues?.[0].message).toContain('compression_params::level');
  });

  it('takes the endpoint of a signal as it is', async () => {
    const { requests, url } = await startBackend();
    const { exporter } = await startExporter({ traces_endpoint: `${url}/own?x=1` });
    await exporter.consume(batch);
    expect(requests[0]!.url).toBe('/own?x=1');
  });

  it.each([
    [429, 'rate_limited'],
    [502, 'http_5xx'],
    [503, 'http_5xx'],
    [504, 'http_5xx'],
  ])('can be retried after %i, respecting Retry-After, and is counted as %s', async (status, code) => {
    const { url } = await startBackend((_, response) => response.writeHead(status, { 'retry-after': '7' }).end());
    const { exporter } = await startExporter({ endpoint: url });
    await expect(exporter.consume(batch)).rejects.toMatchObject({
      name: 'RetryableError',
      code,
      retryAfterMs: 7000,
    });
  });

  it.each([
    [301, 'http_other'],
    [400, 'http_4xx'],
    [401, 'http_4xx'],
    [413, 'too_large'],
    [500, 'http_5xx'],
  ])('is final after %i, is counted as %s, and contains the response', async (status, code) => {
    const { url } = await startBackend((_, response) =>
      response.writeHead(status, { location: '/elsewhere' }).end('why'),
    );
    const { exporter } = await startExporter({ endpoint: url });
    await expect(exporter.consume(batch)).rejects.toMatchObject({
      name: 'PermanentError',
      code,
      message: expect.stringContaining(`${status}: why`),
    });
  });

  it('can be retried if the connection is refused', async () => {
    const { exporter } = await startExporter({ endpoint: 'http://127.0.0.1:1' });
    await expect(exporter.consume(batch)).rejects.toMatchObject({ name: 'RetryableError', code: 'network_error' });
  });

  it('can be tried again when no answer comes in time', async () => {
    const { url } = await startBackend(() => undefined);
    const { exporter } = await startExporter({ endpoint: url, timeout: '50ms' });
    await expect(exporter.consume(batch)).rejects.toMatchObject({ name: 'RetryableError', code: 'network_error' });
  });

  it.each([
    ['application/x-protobuf', partialSuccess()],
    ['application/json', '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}'],
    ['application/json; charset=utf-8', '{"partialSuccess":{"rejectedSpans":1,"errorMessage":"too old"},"more":2}'],
  ])('logs once and counts partial success, in a response of %s', async (type, body) => {
    const { url } = await startBackend((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    const { exporter, lines, page } = await startExporter({ endpoint: url });
    const partial = { rejectedItems: 1, message: 'too old' };
    expect([await exporter.consume(batch), await exporter.consume(batch)]).toEqual([partial, partial]);
    expect(lines).toMatchObject([{ rejectedItems: 1, reason: 'too old' }]);
    expect(await page()).toMatch(/^siphon_exporter_partial_success_rejected_items\{.*otel_signal="traces"\} 2$/m);
  });

  it.each([
    ['application/x-protobuf', ''],
    ['application/json', ''],
    ['application/json', '{}'],
    ['application/json', '{"partialSuccess":null}'],
    ['text/html', '<html>'],
  ])('takes an answer of %s %j for a success', async (type, body) => {
    const { url } = await startBackend((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    const { exporter, lines } = await startExporter({ endpoint: url });
    await exporter.consume(batch);
    expect(lines).toEqual([]);
  });

  it.each([
    ['application/x-protobuf', 'hello'],
    ['application/json', '<html>'],
    ['application/json', '{"partialSuccess":{"rejectedSpans":"many"}}'],
  ])('is final after a success of %s that is not OTLP: %j', async (type, body) => {
    const { url } = await startBackend((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    const { exporter } = await startExporter({ endpoint: url });
    await expect(exporter.consume(batch)).rejects.toMatchObject({ name: 'PermanentError', code: 'invalid_response' });
  });

  it('survives an answer without end', async () => {
    const { url } = await startBackend((_, response) => response.writeHead(400).end('x'.repeat(5_000_000)));
    const { exporter } = await startExporter({ endpoint: url });
    await expect(exporter.consume(batch)).rejects.toSatisfy((error: Error) => error.message.length < 500);
  });

  it('opens a new connection when the server has closed the idle one', async () => {
    const { url, requests } = await startBackend((request, response) => {
      response.end();
      setTimeout(() => request.socket.destroy(), 20);
    });
    const { exporter } = await startExporter({ endpoint: url });
    for (let i = 0; i < 3; i++) {
      await exporter.consume(batch);
      await new Promise((resolve) => setTimeout(resolve, 19));
    }
    expect(requests.length).toBeGreaterThanOrEqual(3);
  });

  it('aborts running requests at the deadline of shutdown', async () => {
    const { url } = await startBackend(() => undefined);
    const { exporter } = await startExporter({ endpoint: url });
    const sending = expect(exporter.consume(batch)).rejects.toMatchObject({ name: 'RetryableError' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await exporter.shutdown(AbortSignal.timeout(50));
    await sending;
  });

  it.each([
    [{}, /endpoint/],
    [{ endpoint: 'collector:4318' }, /http:\/\//],
    [{ endpoint: 'http://c', encoding: 'json' }, /must be proto/],
    [{ endpoint: 'http://c', headers: { 'bad name': 'x' } }, /header/],
    [{ endpoint: 'http://c', tls: { cert_file: 'c' } }, /key_file/],
  ])('refuses the configuration %j', (config, message) => {
    expect(v.safeParse(otlpHttpExporterConfig, config).issues?.[0]?.message).toMatch(message);
  });
});
