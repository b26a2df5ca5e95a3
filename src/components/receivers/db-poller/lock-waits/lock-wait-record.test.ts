import { expect, it } from 'vitest';
import type { Episode } from './episodes.ts';
import { lockWaitRecord } from './lock-wait-record.ts';
import { ServerClock } from './server-clock.ts';

const session = { startMs: 0, transactionMs: 0, statementMs: 1000, name: '', state: '', type: '', query: '' };
const wait = { waiter: { ...session, pid: 7 }, blocker: { ...session, pid: 8 }, lock: 'transactionid', sinceMs: 1000 };
const episode: Episode = { key: 'a', wait, firstSeenMs: 1500, isFirst: true, lastSeenMs: 5200 };

it('reports a wait that continues, and one that is over, as what they are', () => {
  const clock = new ServerClock();
  clock.read({ serverMs: 0, beforeMs: 0, afterMs: 0 });
  expect(lockWaitRecord(episode, clock, 'db').body).toBe(
    'process 7 waits for process 8 (transactionid), for 4.2 s so far',
  );
  expect(lockWaitRecord({ ...episode, endedBeforeMs: 6000 }, clock, 'db').body).toBe(
    'process 7 waited for process 8 (transactionid), for 4.2 to 5.0 s',
  );
});
