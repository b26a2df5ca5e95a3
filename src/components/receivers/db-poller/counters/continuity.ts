import type { CounterQuery } from '../query.ts';
import type { RebaselineReason } from '../run/poller-metrics.ts';
import { UNKNOWN, type TableIdentity, type TableSnapshot } from './counted-table.ts';
import type { KeptState } from './kept-state.ts';
import { attachedParts, isDisturbed } from './sweep.ts';

/**
 * Why the stored state does not fit what the snapshot shows. Undefined: it fits. `not yet`: it will, or will not, fit later.
 * `new file`: the table may have been rewritten, which matters only without keys.
 *
 * @throws PostgresError
 */
export async function continuity(
  { events }: CounterQuery,
  state: KeptState,
  snapshot: TableSnapshot,
): Promise<RebaselineReason | 'not yet' | 'new file' | undefined> {
  const { identity, settledXid, isStandby } = snapshot.head;
  if (isStandby && isOlderTimeline(identity, state.identity)) return 'not yet';
  if (!isSameHistory(identity, state.identity)) return 'identity';
  if (identity.key !== state.identity.key) return 'changed';
  // A standby that is behind the server of the last reading catches up with it.
  if (settledXid < state.position.xid) return isStandby ? 'not yet' : 'horizon';
  // A counted key does not count again, wherever its row comes from.
  return events ? undefined : await continuityWithoutKeys(state, snapshot);
}

async function continuityWithoutKeys(
  state: KeptState,
  snapshot: TableSnapshot,
): Promise<RebaselineReason | 'new file' | undefined> {
  const { identity } = snapshot.head;
  if (await hasCountedRows(attachedParts(state.identity, identity), state, snapshot)) return 'attached';
  if (state.sweep && isDisturbed(state.sweep, identity)) return 'rewritten';
  return identity.file === state.identity.file ? undefined : 'new file';
}

/** A part that is unknown, now or before, proves nothing. */
function isSameHistory(now: TableIdentity, known: TableIdentity): boolean {
  const parts = known.history.split('/');
  return now.history.split('/').every((part, i) => part === parts[i] || part === UNKNOWN || parts[i] === UNKNOWN);
}

/** A standby shows the timeline of its last restartpoint, which may precede one that was seen before. */
function isOlderTimeline(now: TableIdentity, known: TableIdentity): boolean {
  const [system, timeline, ...table] = now.history.split('/');
  const [knownSystem, knownTimeline, ...knownTable] = known.history.split('/');
  return system === knownSystem && table.join() === knownTable.join() && Number(timeline) < Number(knownTimeline);
}

/** True if attached tables have rows from before the position: some may be counted already, and nothing shows which. */
async function hasCountedRows(parts: readonly string[], state: KeptState, snapshot: TableSnapshot): Promise<boolean> {
  if (parts.length === 0 || (await snapshot.blocks(parts)) === 0) return false;
  return await snapshot.hasRowsBefore(state.position, parts);
}
