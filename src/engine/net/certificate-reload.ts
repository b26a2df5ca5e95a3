import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { Incident } from '../incident.ts';
import type { ServerTlsConfig } from '../schema/tls.ts';
import { readContext } from './tls.ts';

/**
 * Reads a server's certificates again every `reload_interval` until it is disposed. New connections use them. If they
 * cannot be used, the server keeps the previous ones.
 */
export class CertificateReload implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(server: object, tls: ServerTlsConfig | undefined, logger: Logger) {
    if (tls === undefined || tls.reload_interval === 0 || !hasSecureContext(server)) return;
    const incident = new Incident(logger, {
      failing: 'The certificate could not be reloaded; the previous one stays in use',
      recovered: 'The certificate was reloaded',
    });
    const reload = async (): Promise<void> => {
      try {
        server.setSecureContext(await readContext(tls));
        incident.succeeded();
      } catch (error) {
        incident.failed(error);
      }
    };
    this.#timer = setInterval(() => void reload(), tls.reload_interval).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** True for servers of HTTPS and HTTP/2. */
function hasSecureContext(server: object): server is { setSecureContext(options: SecureContextOptions): void } {
  return 'setSecureContext' in server;
}
