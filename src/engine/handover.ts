/** A server that can outlive its component. */
export interface HandedServer {
  /** The same for servers that listen in the same way. */
  readonly key: string;
  readonly port: number;
  /** Gives the address back and ends the connections, at the latest when the deadline aborts. */
  close(deadline: AbortSignal): Promise<void>;
}

/**
 * Passes servers from a component to its successor. While a reload runs, a server whose component ends keeps its address
 * and its connections, and its requests wait for the next component that listens in the same way.
 */
export class Handover {
  readonly #offered: HandedServer[] = [];
  readonly #closing: Promise<void>[] = [];
  #deadline: AbortSignal | undefined;
  #restores = false;

  /** True while the components of the old configuration start again. Their servers continue with the files that they had. */
  get restores(): boolean {
    return this.#restores;
  }

  /** From now on servers are kept, until `end`. */
  begin(deadline: AbortSignal): void {
    this.#deadline = deadline;
  }

  /** The reload has failed. */
  beginRestore(): void {
    this.#restores = true;
  }

  /** Closes the servers that no component has taken. */
  async end(): Promise<void> {
    const deadline = this.#deadline ?? AbortSignal.abort();
    this.#deadline = undefined;
    this.#restores = false;
    for (const server of this.#offered.splice(0)) this.#closing.push(server.close(deadline));
    await Promise.all(this.#closing.splice(0));
  }

  /** Called when the component of a server ends. @returns false if no reload runs: then the component closes it. */
  offer(server: HandedServer): boolean {
    if (this.#deadline === undefined) return false;
    this.#offered.push(server);
    return true;
  }

  /** The server with this key. Otherwise its port is free afterwards, unless another process has it. */
  take<T extends HandedServer>(
    { key, port }: Pick<HandedServer, 'key' | 'port'>,
    isOfKind: (server: HandedServer) => server is T,
  ): T | undefined {
    const found = this.#offered.filter(isOfKind).find((server) => server.key === key);
    for (const server of this.#offered.filter((other) => other === found || other.port === port)) {
      this.#offered.splice(this.#offered.indexOf(server), 1);
      // The address is free immediately; the connections may need longer.
      if (server !== found) this.#closing.push(server.close(this.#deadline ?? AbortSignal.abort()));
    }
    return found;
  }
}
