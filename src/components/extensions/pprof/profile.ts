/** Profiles of this process, in V8's formats. Nothing is opened for a debugger. */
import { setTimeout as sleep } from 'node:timers/promises';

export type ProfileKind = 'profile' | 'heap';

/** The average number of allocated bytes between two samples, V8's default. */
const SAMPLING_BYTES = 32_768;

/**
 * Where the process spends its CPU time (`.cpuprofile`), or what it allocates and keeps (`.heapprofile`), as JSON.
 *
 * @throws the reason of the signal if it aborts.
 */
export async function recordProfile(kind: ProfileKind, seconds: number, signal: AbortSignal): Promise<string> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    if (kind === 'profile') {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await sleep(seconds * 1000, undefined, { signal });
      return JSON.stringify((await session.post('Profiler.stop')).profile);
    }
    await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLING_BYTES });
    await sleep(seconds * 1000, undefined, { signal });
    return JSON.stringify((await session.post('HeapProfiler.stopSampling')).profile);
  } finally {
    session.disconnect();
  }
}
