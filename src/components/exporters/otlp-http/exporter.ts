import type {
  Component,
  ComponentSettings,
  Consumer,
  Host,
  PartialSuccess,
  Signal,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { describeError } from '../../../engine/describe-error.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import type { HttpAnswer, HttpClient } from '../../../engine/net/http-client.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { openHttpClient } from '../../../engine/net/open-http-client.ts';
import { compress, encodingOf } from './compression.ts';
import { idleKeys, type OtlpHttpExporterConfig } from './config.ts';
import { errorOf, partialSuccessOf } from './response.ts';
import { urlFor } from './url.ts';

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
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    const { tls, proxy_url: proxy, max_conns_per_host, idle_conn_timeout, disable_keep_alives } = this.#config;
    this.#client = await openHttpClient(tls, this.#settings.logger, {
      proxy: proxy && new URL(proxy.reveal()),
      maxConnections: max_conns_per_host,
      idleMs: idle_conn_timeout,
      keepAlive: !disable_keep_alives,
    });
  }

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | undefined> {
    const answer = await this.#send(batch);
    if (answer.status < 200 || answer.status > 299) throw errorOf(answer);
    return this.#noteRejections(batch.signal, answer);
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
    const body = await compress(chunks, this.#config.compression, this.#config.compression_params.level);
    const [client, url] = [this.#client, this.#urls.get(signal)];
    if (client === undefined || url === undefined)
      throw new RetryableError('not_running', 'the exporter is not running');
    const { timeout: timeoutMs } = this.#config;
    const sending = client.post({ url, headers: this.#headers, chunks: body, timeoutMs, signal: this.#abort.signal });
    this.#inFlight.add(sending);
    try {
      return await sending;
    } catch (cause) {
      throw new RetryableError('network_error', `${url.origin} cannot be reached: ${describeError(cause)}`, { cause });
    } finally {
      this.#inFlight.delete(sending);
    }
  }

  #noteRejections(signal: Signal, answer: HttpAnswer): PartialSuccess | undefined {
    const partial = partialSuccessOf(answer);
    const { rejectedItems, message } = partial;
    const rejecting = rejectedItems > 0 || message !== '';
    if (rejectedItems > 0) {
      this.#rejected.add(rejectedItems, { otel_signal: signal });
      this.#settings.ledger.account(signal).reject(rejectedItems, 'partial_success');
    }
    if (rejecting && !this.#rejecting) {
      this.#settings.logger.warn(
        { signal, rejectedItems, reason: message },
        'The server accepted a request only in part',
      );
    }
    this.#rejecting = rejecting;
    return rejecting ? partial : undefined;
  }
}

function headersOf({ version }: ComponentSettings, config: OtlpHttpExporterConfig): Record<string, string> {
  const encoding = encodingOf(config.compression);
  return {
    'content-type': 'application/x-protobuf',
    'user-agent': `siphon/${version}`,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    ...Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value.reveal()])),
  };
}
