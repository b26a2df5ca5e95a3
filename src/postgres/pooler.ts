import type { Session } from './session.ts';

const PROBES = 3;

/** What runs the statements of this session; behind a pooler it may be another one after each transaction. */
export async function backendPid(session: Session): Promise<number> {
  const [row] = await session.query('select pg_backend_pid() as pid');
  return row!['pid'] as number;
}

/** Whether something that speaks for the server stands between: it cannot know the process it will take. */
export async function isPooled(session: Session): Promise<boolean> {
  return session.announcedPid !== (await backendPid(session));
}

/**
 * Whether two sessions were seen to run on one backend, as they do behind a pooler in transaction mode: there, a
 * setting or a lock of one is everybody's. False proves nothing where others keep the pooler busy.
 */
export async function shareBackend(one: Session, other: Session): Promise<boolean> {
  for (let i = 0; i < PROBES; i++) {
    // A pooler gives the backend that became free last.
    if ((await backendPid(one)) === (await backendPid(other))) return true;
  }
  return false;
}
