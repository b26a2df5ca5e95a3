import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import type {
  Component,
  ComponentSettings,
  Consumer,
  Host,
  Signal,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { HttpClient, type HttpAnswer } from '../../../engine/net/http-client.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { OtlpHttpExporterConfig } from './config.ts';
import { errorOf, partialSuccessOf } from './response.ts';
import { readTls } from './tls-files.ts';
import { urlFor } from './url.ts';

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/** Posts each batch to the endpoint of its signal, without changing its bytes. */
export class OtlpHttpExporter implements Component, Consumer {
  readonly #settings: ComponentSettings;
  readonly #config: OtlpHttpExporterConfig;
  readonly #urls: ReadonlyMap<Signal, URL>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #rejected;
  readonly #abort = new AbortController();
  readonly #inFlight = new Set<Promise<HttpAnswer>>();
  #client: HttpClient | undefined;
  #rejecting = false;

  /** @throws Error that names the key to set, if a signal of a pipeline has no endpoint. */
  constructor(settings: ComponentSettings, config: OtlpHttpExporterConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#urls = new Map([...settings.signals].map((signal) => [signal, urlFor(signal, config)]));
    this.#headers = headersOf(settings, config);
    this.#rejected = settings.metrics.counter(sidecarMetrics.siphon_exporter_partial_success_rejected_items);
  }

  async start(_host: Host): Promise<void> {
    this.#client = new HttpClient({ tls: await readTls(this.#config.tls) });
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    const answer = await this.#send(batch);
    if (answer.status < 200 || answer.status > 299) throw errorOf(answer);
    this.#noteRejections(batch.signal, answer);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const abort = (): void => this.#abort.abort();
    if (deadline.aborted) abort();
    deadline.addEventListener('abort', abort, { once: true });
    await Promise.allSettled(this.#inFlight);
    deadline.removeEventListener('abort', abort);
    this.#client?.close();
    this.#client = undefined;
  }

  async #send({ signal, chunks }: TelemetryBatch): Promise<HttpAnswer> {
    const body = await compress(chunks, this.#config.compression);
    const [client, url] = [this.#client, this.#urls.get(signal)];
    if (client === undefined || url === undefined)
      throw new RetryableError('not_running', 'the exporter is not running');
    const { timeout: timeoutMs } = this.#config;
    const sending = client.post({ url, headers: this.#headers, chunks: body, timeoutMs, signal: this.#abort.signal });
    this.#inFlight.add(sending);
    try {
      return await sending;
    } catch (cause) {
      throw new RetryableError('network_error', `${url.origin} cannot be reached: ${String(cause)}`, { cause });
    } finally {
      this.#inFlight.delete(sending);
    }
  }

  #noteRejections(signal: Signal, answer: HttpAnswer): void {
    const { rejectedItems, message } = partialSuccessOf(answer);
    const rejecting = rejectedItems > 0 || message !== '';
    if (rejectedItems > 0) this.#rejected.add(rejectedItems, { otel_signal: signal });
    if (rejecting && !this.#rejecting) {
      this.#settings.logger.warn(
        { signal, rejectedItems, reason: message },
        'The server accepted a request only in part',
      );
    }
    this.#rejecting = rejecting;
  }
}

function headersOf({ version }: ComponentSettings, config: OtlpHttpExporterConfig): Record<string, string> {
  const encoded = config.compression === 'gzip' || config.compression === 'zstd';
  return {
    'content-type': 'application/x-protobuf',
    'user-agent': `siphon/${version}`,
    ...(encoded ? { 'content-encoding': config.compression } : {}),
    ...Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value.reveal()])),
  };
}

/** Compresses in the thread pool. `none` and the empty text return the chunks unchanged. */
async function compress(
  chunks: readonly Uint8Array[],
  compression: 'gzip' | 'zstd' | 'none' | '',
): Promise<readonly Uint8Array[]> {
  if (compression === 'zstd') return [await zstdAsync(Buffer.concat(chunks))];
  if (compression !== 'gzip') return chunks;
  // Telemetry is so repetitive that the fastest level has most of the gain for a fraction of the CPU time.
  return [await gzipAsync(Buffer.concat(chunks), { level: constants.Z_BEST_SPEED })];
}
