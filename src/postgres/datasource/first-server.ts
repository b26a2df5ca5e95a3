import { describeError } from '../../engine/describe-error.ts';
import { PostgresError } from '../postgres-error.ts';
import type { ConnectionTargets, ServerRole } from './connection-targets.ts';

/** Runs one statement on a new connection. */
export type AskServer = (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/**
 * Connects to the first server that answers and has an accepted role, as libpq does: a server that refuses the login ends
 * the search.
 *
 * @param connect connects to one server, and rejects if `role` is set and it has another one.
 * @throws PostgresError
 */
export async function firstServer<T>(
  { urls, roles }: ConnectionTargets,
  connect: (url: string, role: ServerRole | undefined) => Promise<T>,
): Promise<T> {
  const failures: PostgresError[] = [];
  for (const role of roles) {
    for (const url of urls) {
      try {
        return await connect(url, role);
      } catch (error) {
        const failure = PostgresError.from(error);
        if (!goesOn.has(failure.reason)) throw failure;
        failures.push(failure);
      }
    }
  }
  if (failures.length === 1) throw failures[0]!;
  const each = failures.map((failure) => describeError(failure.cause ?? failure));
  throw new PostgresError('connection', `no host of the datasource can be used: ${[...new Set(each)].join('; ')}`, {
    cause: failures[0]!.cause,
    ...(failures[0]!.repair === undefined ? {} : { repair: failures[0]!.repair }),
  });
}

const goesOn: ReadonlySet<string> = new Set(['connection', 'unavailable']);

/** @throws PostgresError if the server does not have the role. */
export async function requireRole(role: ServerRole | undefined, ask: AskServer): Promise<void> {
  if (role === undefined) return;
  const [row] = await ask('select pg_is_in_recovery() as is_standby');
  const found: ServerRole = row!['is_standby'] === true ? 'standby' : 'primary';
  if (found === role) return;
  throw new PostgresError('connection', `the server is a ${found}, and target_session_attrs requires a ${role}`);
}
