import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A minimal keep-alive HTTP/1.1 connection. It sends one request at a time. */
export class Connection {
  readonly #socket: Socket;
  #answer = '';
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: unknown) => this.#read(String(text)));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the target closed the connection')));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Resolves when the target has accepted every point. The caller can reuse the buffers afterwards. */
  post(head: Buffer, body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#answer += text;
    const headEnd = this.#answer.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#answer)?.[1] ?? 0);
    if (this.#answer.length < headEnd + 4 + length) return;
    const answer = this.#answer;
    this.#answer = '';
    if (answer.startsWith('HTTP/1.1 200 ') && ACCEPTED.has(answer.slice(headEnd + 4))) this.#waiting?.resolve();
    else this.#waiting?.reject(new Error(`the target refused points: ${answer}`));
  }
}

/** An empty `ExportMetricsServiceResponse`, or one with an empty `partial_success`. */
const ACCEPTED: ReadonlySet<string> = new Set(['', '\n\0']);
