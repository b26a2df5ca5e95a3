import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

interface Seen {
  readonly line: string;
  readonly authorization: string | undefined;
}

/** A forward proxy: passes requests on, and opens tunnels. */
export async function startProxy(): Promise<{ readonly server: Server; readonly seen: Seen[]; readonly port: number }> {
  const seen: Seen[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    seen.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization']?.toString() });
  const server = createServer((request, response) => {
    note(request);
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = httpRequest(request.url as string, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on('connect', (request, socket: Socket) => {
    note(request);
    const [host, port] = (request.url as string).split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    for (const side of [socket, target]) side.on('error', () => socket.destroy());
  });
  return { server, seen, port: await listening(server) };
}

/** Resolves with the port. */
export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export function stop(...servers: readonly Server[]): void {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}
