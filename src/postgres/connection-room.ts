import type { Finding } from '../engine/component.ts';
import { readableIdentifier } from './identifier.ts';
import type { Row } from './read-only-pool.ts';

/** How many connections there are for whoever asks. */
export interface ConnectionRoom {
  /** As SQL wants its name. */
  readonly role: string;
  /** Of the role; below 0: none. */
  readonly limit: number;
  /** Of the role, and not siphon's. */
  readonly heldByOthers: number;
  /** Those of the role that poll, or stand by. */
  readonly sidecars: number;
  /** Of the database, without those that siphon holds. */
  readonly free: number;
}

/** @param ask one statement. @throws PostgresError */
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

/** Each sidecar that runs holds the session of its leader election. */
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

/** @param who uses up to `needed` connections; one that does not run yet shall find room. */
export function roomFindings(room: ConnectionRoom, who: string, needed: number): Finding[] {
  const { free } = room;
  return [
    ...limitFindings(room, who, needed),
    ...(free < needed
      ? [
          {
            severity: 'warning' as const,
            what: `the database has ${Math.max(0, free)} connections left, and ${who} uses up to ${needed}`,
            repair: 'Raise max_connections, or find out who holds them in pg_stat_activity',
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
      what: `the role ${role} may have ${limit} connections${others}, and ${uses} up to ${needed}`,
      repair: `alter role ${role} connection limit ${heldByOthers + together + 1};`,
    },
  ];
}
