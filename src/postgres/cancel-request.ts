import { connect } from 'node:net';
import type { ClientBase } from 'pg';

const CANCEL_REQUEST_CODE = 80_877_102;
const GIVE_UP_MS = 2000;

/** What the server told the client at the start of the session; node-pg has it, its types do not. */
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
 * Asks the server to end what this client runs; there is no answer, and nothing to do if the request is lost.
 * Without TLS, as libpq's PQcancel: the server takes it before any authentication.
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
    socket.end(message);
  });
}
