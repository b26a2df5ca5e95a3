import type { Logger } from 'pino';
import type { ClientTlsConfig } from '../schema/tls.ts';
import { readClientTls } from './client-tls.ts';
import { HttpClient, type HttpClientOptions } from './http-client.ts';
import { PeriodicReload } from './periodic-reload.ts';

/**
 * An HTTP client with the key `tls`. It reads the files again every `reload_interval` until it is closed.
 *
 * @throws Error with the key and the file, if one cannot be read or used.
 */
export async function openHttpClient(
  config: ClientTlsConfig,
  logger: Logger,
  options: Omit<HttpClientOptions, 'tls'> = {},
): Promise<HttpClient> {
  const client = new ReloadingClient({ ...options, tls: await readClientTls(config) });
  const reload = async (): Promise<void> => client.useTls(await readClientTls(config));
  client.reload = new PeriodicReload(config.reload_interval, reload, logger);
  return client;
}

class ReloadingClient extends HttpClient {
  reload: PeriodicReload | undefined;

  override close(): void {
    this.reload?.[Symbol.dispose]();
    super.close();
  }
}
