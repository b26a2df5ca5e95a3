/** `npm run bench:queue`: compares siphon with its sending queue on disk and in memory, in one run. */
import { builtSiphon } from '../support/processes/collector-process.ts';
import { Forwarder, type Sending } from './forwarding/measure-forwarding.ts';
import { median } from './median.ts';

const WARM_UP_MS = 3000;
const LOAD_MS = 10_000;
/** 10,000 spans a second. */
const REQUESTS_PER_SECOND = 100;
/** The upper limit for the CPU time with the queue on disk, as a share of that with the queue in memory. */
const BUDGET = 1.15;
const rounds = Number(process.argv[2] ?? 5);

const cases = [
  { name: 'batch, gzip', compression: 'gzip' },
  { name: 'batch', compression: 'none' },
  { name: 'a record for each request of 100 spans, gzip', compression: 'gzip', processors: {} },
] as const;

for (const { name, ...sending } of cases) {
  const [memory, disk] = await microsecondsPerSpan(sending);
  const ratio = median(disk.map((one, round) => one / (memory[round] ?? NaN)));
  const over = ratio > BUDGET ? ' over' : '';
  process.stdout.write(
    `${name}: ${median(memory).toFixed(2)} µs CPU/span in memory, ${median(disk).toFixed(2)} on disk, ${ratio.toFixed(2)} × (≤ ${BUDGET})${over}\n`,
  );
}

/** Both run at the same time, so that other load on the machine affects both. */
async function microsecondsPerSpan(
  sending: Omit<Sending, 'stored'>,
): Promise<readonly [memory: readonly number[], disk: readonly number[]]> {
  await using memory = await Forwarder.start(builtSiphon, { ...sending, stored: false });
  await using disk = await Forwarder.start(builtSiphon, { ...sending, stored: true });
  const load = async (durationMs: number): Promise<[number, number]> =>
    await Promise.all([memory.load(durationMs, REQUESTS_PER_SECOND), disk.load(durationMs, REQUESTS_PER_SECOND)]);
  await load(WARM_UP_MS);
  const costs: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [index, cost] of (await load(LOAD_MS)).entries()) costs[index]?.push(cost);
  }
  return costs;
}
