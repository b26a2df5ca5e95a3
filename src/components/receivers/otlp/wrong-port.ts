import type { Logger } from 'pino';
import { formatEndpoint } from '../../../engine/net/http-server.ts';
import type { Endpoint } from '../../../engine/schema/fields.ts';

/** Logs once that a client uses the protocol of the receiver's other port, the most frequent first mistake. */
export class WrongPort {
  readonly #logger: Logger;
  readonly #other: Endpoint | undefined;
  #isLogged = false;

  /** @param other where the client should send; undefined if the receiver does not have that protocol. */
  constructor(logger: Logger, other: Endpoint | undefined) {
    this.#logger = logger;
    this.#other = other;
  }

  usesHttp1(here: Endpoint): void {
    this.#log(
      { endpoint: formatEndpoint(here), http: this.#right() },
      'A client without HTTP/2 uses the port for gRPC',
    );
  }

  usesHttp2(here: Endpoint): void {
    this.#log({ endpoint: formatEndpoint(here), grpc: this.#right() }, 'A client of gRPC uses the port for HTTP');
  }

  #right(): string {
    return this.#other === undefined ? 'not configured' : formatEndpoint(this.#other);
  }

  #log(fields: object, message: string): void {
    if (!this.#isLogged) this.#logger.warn(fields, message);
    this.#isLogged = true;
  }
}
