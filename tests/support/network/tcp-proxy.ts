import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Target {
  readonly host: string;
  readonly port: number;
}

/** A proxy between a client and a server that can simulate network faults. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #lullsMs: number[] = [];
  #emptySince: number | undefined;
  #silent = false;
  #refusal: Uint8Array | undefined;
  #target: Target;

  static async start(target: Target, port = 0, host = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  private constructor(server: Server, target: Target) {
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    server.on('connection', (client) => {
      if (this.#refusal) end(client, this.#refusal);
      else this.#join(client, connect(this.#target));
    });
  }

  get connectionCount(): number {
    return this.#pairs.size;
  }

  /** How long no connection was open, each time after there were some. */
  get lullsMs(): readonly number[] {
    return this.#lullsMs;
  }

  /** Connections stay open, and new ones are taken, but nothing gets through until `resume`. */
  silence(): void {
    this.#silent = true;
    for (const [client, server] of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
    }
  }

  resume(): void {
    this.#silent = false;
    for (const pair of this.#pairs) pipe(pair);
  }

  /** Answers new connections with these bytes and closes them, until it is called without an argument. */
  refuse(refusal: Uint8Array | undefined): void {
    this.#refusal = refusal;
  }

  /** Closes every connection; new ones lead to another server. */
  leadTo(target: Target): void {
    this.#target = target;
    this.cut();
  }

  /** Closes every connection; accepts new ones. */
  cut(): void {
    for (const [client] of this.#pairs) client.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    if (this.#emptySince !== undefined) this.#lullsMs.push(performance.now() - this.#emptySince);
    this.#emptySince = undefined;
    this.#pairs.add(pair);
    if (!this.#silent) pipe(pair);
    for (const socket of pair) {
      // An error is followed by the close event, which closes the other side.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (this.#pairs.delete(pair) && this.#pairs.size === 0) this.#emptySince = performance.now();
        for (const each of pair) each.destroy();
      });
    }
  }
}

function end(client: Socket, farewell: Uint8Array): void {
  client.on('error', () => undefined);
  client.once('data', () => client.end(farewell));
}

function pipe([client, server]: readonly [Socket, Socket]): void {
  client.pipe(server);
  server.pipe(client);
}
