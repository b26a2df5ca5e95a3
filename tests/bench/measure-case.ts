import type { CollectorProgram } from '../support/collector-process.ts';
import type { BenchCase, Measure } from './cases.ts';
import { median } from './median.ts';
import { ENCODINGS, type Encoding } from './scrape.ts';
import { Target } from './target.ts';

const WARM_UP_MS = 2000;
const LOAD_MS = 3000;
/** For each encoding in each round; slow scrapes are made twice all the same. */
const SCRAPES_MS = 1000;
const MIN_SCRAPES = 2;

/** Medians over all rounds; the peak is that of the whole life of the process. */
export type Result = Readonly<Record<Measure, number>>;

export type CaseResult = Readonly<Partial<Record<CollectorProgram['name'], Result>>>;

/** Runs a case on all programs, which take turns so that what else happens on the machine hits all of them. */
export async function measureCase(
  { shape }: Pick<BenchCase, 'shape'>,
  programs: readonly CollectorProgram[],
  rounds: number,
): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const runs: { target: Target; samples: Samples }[] = [];
  for (const program of programs) {
    const target = stack.use(await Target.start(program));
    await target.load(shape, WARM_UP_MS);
    runs.push({ target, samples: { cpu: [], identity: [], gzip: [] } });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { target, samples } of runs) {
      samples.cpu.push(await target.load(shape, LOAD_MS));
      for (const encoding of ENCODINGS) samples[encoding].push(...(await scrapeDurations(target, encoding)));
      await target.verify(shape);
    }
  }
  return Object.fromEntries(runs.map(({ target, samples }) => [target.name, summary(target, samples)]));
}

async function scrapeDurations(target: Target, encoding: Encoding): Promise<number[]> {
  const durationsMs: number[] = [];
  const end = performance.now() + SCRAPES_MS;
  while (durationsMs.length < MIN_SCRAPES || performance.now() < end) {
    durationsMs.push((await target.scrape(encoding)).durationMs);
  }
  return durationsMs;
}

type Samples = Record<Exclude<Measure, 'peak'>, number[]>;

function summary({ peakMebibytes }: Target, { cpu, identity, gzip }: Samples): Result {
  return { cpu: median(cpu), identity: median(identity), gzip: median(gzip), peak: peakMebibytes };
}
