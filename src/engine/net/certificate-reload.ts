import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { Incident } from '../incident.ts';
import type { ServerTlsConfig } from '../schema/tls.ts';
import { readContext } from './tls.ts';

/**
 * Reads a server's certificates again every `reload_interval`, for the connections that come then, until it is disposed.
 * What cannot be used leaves those in use that were there before.
 */
export class CertificateReload implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(server: object, tls: ServerTlsConfig | undefined, logger: Logger) {
    if (tls === undefined || tls.reload_interval === 0 || !hasSecureContext(server)) return;
    const incident = new Incident(logger, {
      failing: 'The certificate could not be read again: the one from before stays in use',
      recovered: 'The certificate was read again',
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

/** Those of HTTPS and of HTTP/2 have it. */
function hasSecureContext(server: object): server is { setSecureContext(options: SecureContextOptions): void } {
  return 'setSecureContext' in server;
}
