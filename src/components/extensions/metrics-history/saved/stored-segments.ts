/** Segments in a storage, each in pieces of their own. */
import type { StorageSpace } from '../../../../engine/storage.ts';
import { decodeStored, encodeStored } from '../../../../engine/stored-value.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';
import { piecesOf, type SegmentPiece } from '../store/segment-piece.ts';
import type { Segment } from '../store/segment.ts';
import type { NumberedGroup } from '../store/series-index.ts';

export interface StoredSegment {
  readonly number: number;
  readonly pieces: number;
  /** The time of the last moment, in Unix milliseconds. */
  readonly toMs: number;
}

/** Everything else runs between the pieces. A process that was killed may have left pieces under the number. */
export async function writeSegment(
  space: StorageSpace,
  number: number,
  { segment, groups }: { readonly segment: Segment; readonly groups: readonly NumberedGroup[] },
): Promise<StoredSegment> {
  const slice = new TimeSlice();
  await space.clear(prefixOf(number));
  let pieces = 0;
  for (const piece of piecesOf(segment, groups)) {
    const key = keyOf(number, pieces++);
    await space.write(new Map([[key, encodeStored(piece, key)]]));
    await slice.pause();
  }
  return { number, pieces, toMs: segment.timesMs.at(-1) ?? 0 };
}

export interface ReadPieces {
  readonly pieces: readonly SegmentPiece[];
  /** Why others cannot be read. */
  readonly causes: readonly unknown[];
}

export async function readSegment(space: StorageSpace, stored: StoredSegment): Promise<ReadPieces> {
  const slice = new TimeSlice();
  const pieces: SegmentPiece[] = [];
  const causes: unknown[] = [];
  for (const key of keysOf(stored)) {
    try {
      const value = (await space.get([key])).get(key);
      if (value === undefined) throw new Error('a part is missing');
      pieces.push(decodeStored(value, key) as SegmentPiece);
    } catch (error) {
      causes.push(error);
    }
    await slice.pause();
  }
  return { pieces, causes };
}

export function keysOf({ number, pieces }: StoredSegment): readonly string[] {
  return Array.from({ length: pieces }, (_, piece) => keyOf(number, piece));
}

function keyOf(number: number, piece: number): string {
  return `${prefixOf(number)}${piece}`;
}

function prefixOf(number: number): string {
  return `segment ${number} `;
}
