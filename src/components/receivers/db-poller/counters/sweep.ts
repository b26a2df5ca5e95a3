import { BatchSize } from './batch-size.ts';
import type { CounterQuery } from '../query.ts';
import { before, type Sweep, type TableIdentity, type TableSnapshot } from './counted-table.ts';
import type { KeptState } from './kept-state.ts';
import { lateBound } from './recent-rows.ts';

const MAX_BLOCKS = 100_000;
const FIRST_BLOCKS = 64;
const QUICK_MS = 100;

/** The number of blocks that one batch of a sweep reads. */
export function sweepSize(timeoutMs: number): BatchSize {
  return new BatchSize({ maxRows: MAX_BLOCKS, firstRows: FIRST_BLOCKS, quickMs: QUICK_MS, timeoutMs });
}

/**
 * The sweep of tables that were attached since the last reading, with rows from long before. Undefined: they are empty.
 *
 * @throws PostgresError
 */
export async function attachedSweep(
  { position, boundUnixMs }: KeptState,
  snapshot: TableSnapshot,
  parts: readonly string[],
): Promise<Sweep | undefined> {
  const endBlock = parts.length === 0 ? 0 : await snapshot.blocks(parts);
  if (endBlock === 0) return undefined;
  const files = snapshot.head.identity.parts;
  const upTo = before(position.xid);
  return { after: undefined, olderAfter: upTo, boundUnixMs, upTo, parts, block: 0, endBlock, files };
}

/** The tables below the counted one, and itself, that did not exist there at the last reading. */
export function attachedParts({ parts: known }: TableIdentity, now: TableIdentity): string[] {
  return Object.keys(now.parts).filter((part) => known[part] === undefined);
}

/** The identity without tables that were attached since: they are found again at the next reading. */
export function withoutAttached(known: TableIdentity, now: TableIdentity): TableIdentity {
  const attached = new Set(attachedParts(known, now));
  return { ...now, parts: Object.fromEntries(Object.entries(now.parts).filter(([part]) => !attached.has(part))) };
}

/** True if a table has another file than when the sweep began, so that its rows may be in other blocks. */
export function isDisturbed({ files }: Sweep, { parts }: TableIdentity): boolean {
  return Object.entries(parts).some(([part, file]) => files[part] !== undefined && files[part] !== file);
}

/** Undefined if all blocks are read. */
export function advanced(sweep: Sweep, blocks: number): Sweep | undefined {
  const block = sweep.block + blocks;
  return block >= sweep.endBlock ? undefined : { ...sweep, block };
}

/**
 * The state in which a sweep owes all settled rows of the table that are not counted. So both positions are reached, and
 * the bound can move: to a time that few rows have passed, because reading many at each poll takes too long. Without a
 * change while another sweep is not finished.
 *
 * @throws PostgresError
 */
export async function swept(query: CounterQuery, state: KeptState, snapshot: TableSnapshot): Promise<KeptState> {
  if (state.sweep) return state;
  const { head } = snapshot;
  const { position: after, olderPosition, boundUnixMs } = state;
  const olderAfter = query.bound ? olderPosition : after;
  const upTo = before(head.settledXid);
  const place = { parts: undefined, block: 0, endBlock: await snapshot.blocks(), files: head.identity.parts };
  return {
    ...state,
    position: upTo,
    olderPosition: upTo,
    boundUnixMs: Math.max(boundUnixMs, lateBound(query, head)),
    reconciledUnixMs: head.nowUnixMs,
    sweep: { after, olderAfter, boundUnixMs, upTo, ...place },
  };
}
