import { sleep } from './schedule.ts';

/** A receiver that stops waits this long for its pipeline to accept that its series end. */
export const LONGEST_RETRACTION_MS = 2000;

/** Resolves when the work has settled, or when the deadline aborts if that comes first. Never rejects. */
export async function unlessLate(work: Promise<unknown>, deadline: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const late = sleep(2 ** 31 - 1, AbortSignal.any([deadline, settled.signal]));
  await Promise.race([Promise.allSettled([work]), late]);
  settled.abort();
}
