/** Keeps the content of the store in a storage while no sidecar is running. */
import type { StorageSpace } from '../../../../engine/storage.ts';
import { decodeStored, encodeStored } from '../../../../engine/stored-value.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';
import type { MetricExemplars } from '../memory/exemplar-memory.ts';
import { Segment, type SegmentContent } from '../memory/segment.ts';
import { idOf } from '../memory/telemetry-memory.ts';
import type { TraceClassesContent } from '../memory/trace-classes.ts';
import type { Stored } from '../server/stored.ts';

/** Changes with the form of anything below. */
const FORMAT = 2;
const INDEX = 'index';

interface Index {
  readonly format: number;
  readonly segments: number;
  readonly classes: TraceClassesContent;
  readonly exemplars: readonly MetricExemplars[];
}

/** Seals the memory and writes it. The index is last: what has none does not exist. @returns false if the deadline came first. */
export async function saveTelemetry(
  space: StorageSpace,
  { memory, exemplars }: Stored,
  deadline: AbortSignal,
): Promise<boolean> {
  memory.seal();
  await space.clear('');
  try {
    return await write(space, { memory, exemplars }, deadline);
  } catch (error) {
    // Parts without an index are of no use, and their room may be all that there is.
    await space.clear('').catch(() => undefined);
    throw error;
  }
}

async function write(space: StorageSpace, { memory, exemplars }: Stored, deadline: AbortSignal): Promise<boolean> {
  const slice = new TimeSlice();
  const segments = memory.segments.filter(({ count }) => count > 0);
  for (const [number, { content }] of segments.entries()) {
    if (deadline.aborted) return false;
    const key = segmentKey(number);
    await space.write(new Map([[key, encodeStored(content, key)]]));
    await slice.pause();
  }
  const { classes } = memory;
  const index: Index = {
    format: FORMAT,
    segments: segments.length,
    classes: classes.content,
    exemplars: exemplars.content,
  };
  await space.write(new Map([[INDEX, encodeStored(index)]]));
  return true;
}

/** The parts that another process has saved, and how many of them cannot be read. */
export interface Restored {
  readonly parts: number;
  readonly damaged: number;
  /** Why the first of them cannot be read. */
  readonly cause?: unknown;
}

/**
 * Adds what another process has saved, the newest first, as long as there is room. Other work runs between the segments.
 * Segments do not need each other.
 *
 * @throws Error if nothing can be read.
 */
export async function restoreTelemetry(space: StorageSpace, stored: Stored): Promise<Restored> {
  const index = await read<Index>(space, INDEX);
  if (index === undefined) return { parts: 0, damaged: 0 };
  if (index.format !== FORMAT) throw new Error(`its format is ${index.format}, and this version reads ${FORMAT}`);
  const slice = new TimeSlice();
  const causes: unknown[] = [];
  for (let number = index.segments - 1; number >= 0; number--) {
    try {
      if (!(await restoreSegment(space, number, index, stored))) break;
    } catch (error) {
      causes.push(error);
      if (causes.length === index.segments) throw error;
    }
    await slice.pause();
  }
  stored.exemplars.restore(index.exemplars);
  return { parts: index.segments, damaged: causes.length, cause: causes[0] };
}

/** @returns false if there is no room. */
async function restoreSegment(space: StorageSpace, number: number, index: Index, { memory }: Stored): Promise<boolean> {
  const key = segmentKey(number);
  const content = await read<SegmentContent>(space, key, key);
  if (content === undefined) throw new Error('a part is missing');
  const segment = new Segment(undefined, content);
  if (!memory.restore(segment)) return false;
  const { traces } = segment;
  for (let trace = 0; trace < traces.count; trace++) memory.classes.restore(idOf(traces.bytesOf(trace)), index.classes);
  return true;
}

function segmentKey(number: number): string {
  return `segment ${number}`;
}

async function read<T>(space: StorageSpace, key: string, place?: string): Promise<T | undefined> {
  const value = (await space.get([key])).get(key);
  return value === undefined ? undefined : (decodeStored(value, place) as T);
}
