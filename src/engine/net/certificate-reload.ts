import type { Logger } from 'pino';
import { reloadIntervalMs, type ServerTlsConfig } from '../schema/tls.ts';
import { PeriodicReload } from './periodic-reload.ts';
import { readContext, replaceContext } from './tls.ts';

/** Reads a server's certificates again until it is disposed. New connections use them. */
export class CertificateReload extends PeriodicReload {
  constructor(server: object, tls: ServerTlsConfig | undefined, logger: Logger) {
    super(
      tls === undefined ? 0 : reloadIntervalMs(tls),
      async () => {
        if (tls !== undefined) replaceContext(server, await readContext(tls));
      },
      logger,
    );
  }
}
