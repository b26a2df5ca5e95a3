import { connect } from 'node:net';
import type { ClientBase } from 'pg';

const CANCEL_REQUEST_CODE = 80_877_102;
const GIVE_UP_MS = 500;

/** The key that the server sent at the start of the session. It is missing in the types of node-pg. */
export interface BackendKey {
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly host: string;
  readonly port: number;
}

export function backendKey(client: ClientBase): BackendKey {
  return client as unknown as BackendKey;
}

/**
 * Asks the server to cancel the running statement of this client. The server does not answer; it resolves when the request
 * was accepted, or after half a second. A pooler can cancel only as long as the client is connected.
 * Without TLS, like libpq's PQcancel: the server accepts the request before any authentication.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelRequest(client: ClientBase): Promise<void> {
  const { processID, secretKey, host, port } = backendKey(client);
  if (processID === null || secretKey === null) return;
  const message = Buffer.alloc(16);
  [16, CANCEL_REQUEST_CODE, processID, secretKey].forEach((word, i) => message.writeInt32BE(word, i * 4));
  await new Promise<void>((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    socket.setTimeout(GIVE_UP_MS, () => socket.destroy());
    socket.once('error', () => resolve());
    socket.once('close', () => resolve());
    // The other side ends the connection. A pooler ignores the request if the client ends it first.
    socket.write(message);
  });
}
