import type { Finding } from '../engine/component.ts';
import { readableIdentifier } from './identifier.ts';
import type { Row } from './read-only-pool.ts';

/** The connections that the role and the server have left. */
export interface ConnectionRoom {
  /** The SQL name of the role. */
  readonly role: string;
  /** The connection limit of the role. Below 0: no limit. */
  readonly limit: number;
  /** Connections of the role that siphon does not hold. */
  readonly heldByOthers: number;
  /** Sidecars of the role, polling or standing by. */
  readonly sidecars: number;
  /** Free connections of the server; those that siphon holds count as free. */
  readonly free: number;
}

/** @param ask runs one statement. @throws PostgresError */
export async function connectionRoom(ask: (text: string) => Promise<readonly Row[]>): Promise<ConnectionRoom> {
  const [row] = await ask(ROOM);
  return {
    role: readableIdentifier(String(row!['role'])),
    limit: Number(row!['connection_limit']),
    heldByOthers: Number(row!['held_by_others']),
    sidecars: Number(row!['sidecars']),
    free: Number(row!['free']),
  };
}

/** Each running sidecar holds the session of its leader election. */
const ROOM = `
  select r.rolname::text as role, r.rolconnlimit as connection_limit, held.*,
         (select sum(case when name = 'max_connections' then setting::int else -setting::int end)::int from pg_settings
          where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections'))
         - held_by_all as free
  from pg_roles r
  cross join lateral (
    select count(*) filter (where backend_type = 'client backend' and application_name not like 'siphon%')::int as held_by_all,
           count(*) filter (where usesysid = r.oid and application_name not like 'siphon%')::int as held_by_others,
           count(*) filter (where usesysid = r.oid and application_name = 'siphon leader election')::int as sidecars
    from pg_stat_activity) held
  where r.rolname = current_user`;

/** @param who uses up to `needed` connections. It is counted once even if it does not run yet. */
export function roomFindings(room: ConnectionRoom, who: string, needed: number): Finding[] {
  const { free } = room;
  return [
    ...limitFindings(room, who, needed),
    ...(free < needed
      ? [
          {
            severity: 'warning' as const,
            what: `the database has ${Math.max(0, free)} connections left, and ${who} uses up to ${needed}`,
            repair: 'Raise max_connections, or find the clients that hold them in pg_stat_activity',
          },
        ]
      : []),
  ];
}

function limitFindings(
  { role, limit, heldByOthers, sidecars }: ConnectionRoom,
  who: string,
  needed: number,
): Finding[] {
  const together = Math.max(1, sidecars) * needed;
  if (limit < 0 || limit - heldByOthers >= together) return [];
  const uses = sidecars > 1 ? `${who} of each of ${sidecars} sidecars uses` : `${who} uses`;
  const others = heldByOthers === 0 ? '' : `, ${heldByOthers} of them held by others`;
  return [
    {
      severity: 'warning',
      what: `role ${role} may have ${limit} connections${others}, and ${uses} up to ${needed}`,
      repair: `alter role ${role} connection limit ${heldByOthers + together + 1};`,
    },
  ];
}
