import { connect } from 'node:net';
import type { ClientBase } from 'pg';

const CANCEL_REQUEST_CODE = 80_877_102;
const GIVE_UP_MS = 500;

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
 * Asks the server to end what this client runs. There is no answer; it resolves once the request was taken, or after half
 * a second. A pooler knows what to cancel only as long as the client is there.
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
    // The other side ends the connection; a pooler drops the request of whoever ends it first.
    socket.write(message);
  });
}
