import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';

/** The event with which a server reports a connection that can have requests. */
type ConnectionEvent = 'connection' | 'secureConnection';

/**
 * Limits the connections of a server. At the limit, a new connection takes the place of the oldest one without a request,
 * so connections that do nothing do not keep others out. If all have requests, the new connection is closed.
 */
export class ConnectionLimit {
  readonly #max: number;
  /** All connections, with the number of their open requests, the oldest first. */
  readonly #requests = new Map<Socket, number>();
  /** How many bytes had been read when the last request of a connection ended. */
  readonly #readBefore = new WeakMap<Socket, number>();
  #open = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, max: number, event: ConnectionEvent) {
    this.#max = max;
    server.on('connection', (socket: Socket) => this.#opened(socket));
    server.on(event, (connection: Socket) => this.#track(connection));
  }

  /** To be called for each request, with what emits `close` at its end. */
  requested(connection: Socket, request: NodeJS.EventEmitter): void {
    if (!this.#requests.has(connection)) return;
    this.#requests.set(connection, (this.#requests.get(connection) ?? 0) + 1);
    request.once('close', () => {
      const open = this.#requests.get(connection);
      if (open !== undefined) this.#requests.set(connection, open - 1);
      this.#readBefore.set(connection, connection.bytesRead);
    });
  }

  /** Closes the connections with open requests, or with headers that have not ended. Returns how many. */
  closeBusy(): number {
    let closed = 0;
    for (const [connection, requests] of this.#requests) {
      const isBusy = requests > 0 || this.#unfinishedBytes(connection) > USUAL_UNFINISHED_BYTES;
      if (!isBusy || connection.destroyed) continue;
      connection.destroy();
      closed++;
    }
    return closed;
  }

  #opened(socket: Socket): void {
    this.#open++;
    inUse.add(this);
    socket.once('close', () => this.#closed());
    if (this.#open > FEW_CONNECTIONS) this.#timer ??= setInterval(() => this.#limitHeaders(), CHECK_MS).unref();
    if (this.#open > this.#max) (this.#oldestIdle() ?? socket).destroy();
  }

  #closed(): void {
    this.#open--;
    if (this.#open === 0) inUse.delete(this);
    if (this.#open > FEW_CONNECTIONS) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Headers that have not ended are in memory. Together they must not use much of it. */
  #limitHeaders(): void {
    let total = 0;
    const long: Socket[] = [];
    for (const [connection, requests] of this.#requests) {
      if (requests > 0) continue;
      const bytes = this.#unfinishedBytes(connection);
      total += bytes;
      if (bytes > USUAL_UNFINISHED_BYTES) long.push(connection);
    }
    if (total > MAX_UNFINISHED_BYTES) for (const connection of long) connection.destroy();
  }

  #unfinishedBytes(connection: Socket): number {
    return connection.bytesRead - (this.#readBefore.get(connection) ?? 0);
  }

  #track(connection: Socket): void {
    if (connection.destroyed) return;
    this.#requests.set(connection, 0);
    connection.once('close', () => this.#requests.delete(connection));
  }

  #oldestIdle(): Socket | undefined {
    for (const [connection, requests] of this.#requests) if (requests === 0 && !connection.destroyed) return connection;
    return undefined;
  }
}

/** The limits of all servers of this process that have connections. */
const inUse = new Set<ConnectionLimit>();

/** Closes the connections of all servers that hold memory. Returns how many. */
export function closeBusyConnections(): number {
  let closed = 0;
  for (const limit of inUse) closed += limit.closeBusy();
  return closed;
}

/** Headers of so few connections are not limited together. */
const FEW_CONNECTIONS = 16;
const CHECK_MS = 50;
/** Many short headers use ten times as much memory as they have bytes. */
const MAX_UNFINISHED_BYTES = 4 * 1024 * 1024;
const USUAL_UNFINISHED_BYTES = 2 * 1024;

/** The part of the process's file descriptors for connections of a server that senders use. */
export const SENDERS_SHARE = 0.2;
/** The same for a server that shows something, such as a page or the state. */
export const READERS_SHARE = 0.06;

/** The least number of connections of any server. */
const MIN_CONNECTIONS = 4;
/** Node reads up to 64 KiB of each connection in one turn of the event loop, and collects the buffers some turns later. */
const BYTES_PER_CONNECTION = 512 * 1024;

/**
 * The number of connections that a server may have: as many as wanted, and at most this share of the file descriptors of
 * the process and of the container's memory. The rest is for the other servers, for files and for databases.
 */
export function connectionsWithin(wanted: number, share: number): number {
  const containerBytes = process.constrainedMemory() || Infinity;
  const places = Math.min(maxOpenFiles(), containerBytes / BYTES_PER_CONNECTION);
  return Math.max(MIN_CONNECTIONS, Math.min(wanted, Math.floor(places * share)));
}

let openFiles: number | undefined;

function maxOpenFiles(): number {
  return (openFiles ??= readMaxOpenFiles());
}

/** Infinity where the system does not report it in a file. */
function readMaxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
