import type { Session } from './session.ts';

const PROBES = 3;

/** The server process that runs the statements of this session. Behind a pooler it may change after each transaction. */
export async function backendPid(session: Session): Promise<number> {
  const [row] = await session.query('select pg_backend_pid() as pid');
  return row!['pid'] as number;
}

/** True if a pooler is between client and server. It cannot know in advance which process it will use. */
export async function isPooled(session: Session): Promise<boolean> {
  return session.announcedPid !== (await backendPid(session));
}

/**
 * True if two sessions were seen on the same backend, as behind a pooler in transaction mode, where all clients share the
 * settings and locks of a session. False proves nothing if other clients keep the pooler busy.
 */
export async function shareBackend(one: Session, other: Session): Promise<boolean> {
  for (let i = 0; i < PROBES; i++) {
    // A pooler uses the backend that became free last.
    if ((await backendPid(one)) === (await backendPid(other))) return true;
  }
  return false;
}
