/** Segments in pieces that can be read without anything else: samples with the labels of their series. */
import type { SeriesGroup, SeriesPart } from '../../../../engine/metric-history.ts';
import type { Segment } from './segment.ts';
import type { NumberedGroup } from './series-index.ts';

/** A group has the same place in `names`, `labels` and `partsOf`. */
export interface SegmentPiece {
  readonly timesMs: Float64Array;
  readonly names: readonly string[];
  readonly labels: readonly string[];
  /** Indexes of `parts`. */
  readonly partsOf: readonly number[];
  readonly parts: readonly (readonly SeriesPart[])[];
  /** How many bytes each series has, in the order of groups and parts. */
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

/** Everything else waits while a piece is written. */
const GROUPS = 512;
const BYTES = 128 * 1024;

/** @param groups all groups with a number. Those without a sample in the segment are left out. */
export function* piecesOf(segment: Segment, groups: readonly NumberedGroup[]): Generator<SegmentPiece> {
  let some: NumberedGroup[] = [];
  let bytes = 0;
  for (const group of groups) {
    const [start, end] = placeOf(segment, group);
    if (start === end) continue;
    some.push(group);
    bytes += end - start;
    if (some.length < GROUPS && bytes < BYTES) continue;
    yield pieceOf(segment, some);
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield pieceOf(segment, some);
}

function pieceOf(segment: Segment, groups: readonly NumberedGroup[]): SegmentPiece {
  const parts = [...new Set(groups.map((group) => group.parts))];
  const indexOf = new Map(parts.map((one, index) => [one, index]));
  return {
    timesMs: segment.timesMs,
    names: groups.map(({ name }) => name),
    labels: groups.map(({ labels }) => labels),
    partsOf: groups.map((group) => indexOf.get(group.parts) as number),
    parts,
    lengths: groups.flatMap((group) =>
      group.parts.map((_, index) => startOf(segment, group.first + index + 1) - startOf(segment, group.first + index)),
    ),
    bytes: Buffer.concat(groups.map((group) => segment.bytes.subarray(...placeOf(segment, group)))),
  };
}

function placeOf(segment: Segment, { first, parts }: NumberedGroup): [start: number, end: number] {
  return [startOf(segment, first), startOf(segment, first + parts.length)];
}

/** Series that are younger than the segment have no bytes, at its end. */
function startOf({ starts }: Segment, number: number): number {
  return starts[Math.min(number, starts.length - 1)] as number;
}

interface Placed {
  readonly first: number;
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Puts pieces of the same moments together, in steps.
 *
 * @param numberOf the first number that the series of the group have now; undefined leaves them out.
 */
export function* joinPieces(
  pieces: readonly SegmentPiece[],
  numberOf: (group: SeriesGroup) => number | undefined,
): Generator<undefined, Segment> {
  const placed: Placed[] = [];
  for (const piece of pieces) {
    for (const one of placedIn(piece, numberOf)) placed.push(one);
    yield;
  }
  const ends = placed.map(({ first, lengths }) => first + lengths.length);
  const starts = new Uint32Array(ends.reduce((most, end) => Math.max(most, end), 0) + 1);
  for (const { first, lengths } of placed)
    for (const [part, length] of lengths.entries()) starts[first + part + 1] = length;
  for (let number = 1; number < starts.length; number++) starts[number]! += starts[number - 1]!;
  yield;
  const bytes = new Uint8Array(starts.at(-1) as number);
  for (const [index, one] of placed.entries()) {
    bytes.set(one.bytes, starts[one.first]);
    if (index % GROUPS === 0) yield;
  }
  return { timesMs: pieces[0]?.timesMs ?? new Float64Array(), starts, bytes };
}

function* placedIn(piece: SegmentPiece, numberOf: (group: SeriesGroup) => number | undefined): Generator<Placed> {
  let [series, byte] = [0, 0];
  for (const [index, name] of piece.names.entries()) {
    const parts = piece.parts[piece.partsOf[index] as number] as readonly SeriesPart[];
    const lengths = piece.lengths.slice(series, (series += parts.length));
    const bytes = piece.bytes.subarray(byte, (byte += lengths.reduce((sum, length) => sum + length, 0)));
    const first = numberOf({ name, labels: piece.labels[index] as string, parts });
    if (first !== undefined) yield { first, lengths, bytes };
  }
}
