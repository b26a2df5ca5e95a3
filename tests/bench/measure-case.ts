import type { CollectorProgram } from '../support/processes/collector-process.ts';
import type { BenchCase, Result } from './cases.ts';
import { median, quantile } from './median.ts';
import { ENCODINGS, type Encoding } from './scrape.ts';
import { Target } from './target.ts';

const WARM_UP_MS = 2000;
const LOAD_MS = 3000;
/** Per encoding and round. At least `MIN_SCRAPES` scrapes run, even if they take longer. */
const SCRAPES_MS = 1000;
const MIN_SCRAPES = 2;
/** Per encoding and round. */
const WAITS_MS = 2000;
/** Per round. Each of them follows a short load. */
const FIRST_SCRAPES = 4;
const SHORT_LOAD_MS = 500;

export type CaseResult = Readonly<Partial<Record<CollectorProgram['name'], Result>>>;

type Case = Pick<BenchCase, 'shape' | 'protocol' | 'whileScraped'>;

/** Runs a case on all programs. They take turns, so that other load on the machine affects all of them. */
export async function measureCase(
  { shape, protocol = 'http', whileScraped = false }: Case,
  programs: readonly CollectorProgram[],
  rounds: number,
): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const runs: { target: Target; samples: Samples }[] = [];
  for (const program of programs) {
    const target = stack.use(await Target.start(program, protocol));
    await target.load(shape, WARM_UP_MS);
    runs.push({ target, samples: { cpu: [], identity: [], gzip: [], protobuf: [], first: [], waits: [] } });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { target, samples } of runs) {
      samples.cpu.push(await target.load(shape, LOAD_MS));
      for (const encoding of ENCODINGS) samples[encoding].push(...(await scrapeDurations(target, encoding)));
      samples.first.push(...(await firstScrapesAfterLoads(target, shape)));
      if (whileScraped) samples.waits.push(...(await waitsDuringScrapes(target, shape)));
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

/** Measures the first scrape after a load, as in production, where many requests arrive between two scrapes. */
async function firstScrapesAfterLoads(target: Target, shape: Case['shape']): Promise<number[]> {
  const durationsMs: number[] = [];
  for (let i = 0; i < FIRST_SCRAPES; i++) {
    await target.load(shape, SHORT_LOAD_MS);
    durationsMs.push((await target.scrape('gzip')).durationMs);
  }
  return durationsMs;
}

async function waitsDuringScrapes(target: Target, shape: Case['shape']): Promise<number[]> {
  const waitsMs: number[] = [];
  for (const encoding of ENCODINGS) {
    const ended = new AbortController();
    const scrapes = scrapeUntil(target, encoding, ended.signal);
    waitsMs.push(...(await target.waits(shape, WAITS_MS)));
    ended.abort();
    await scrapes;
  }
  return waitsMs;
}

async function scrapeUntil(target: Target, encoding: Encoding, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await target.scrape(encoding);
}

type Samples = Record<'cpu' | 'first' | 'waits' | Encoding, number[]>;

function summary({ peakMebibytes }: Target, { waits, ...costs }: Samples): Result {
  const { cpu, identity, gzip, protobuf, first } = costs;
  return {
    cpu: median(cpu),
    identity: median(identity),
    gzip: median(gzip),
    protobuf: median(protobuf),
    first: median(first),
    peak: peakMebibytes,
    ...(waits.length === 0 ? {} : { wait: quantile(waits, 0.99), longestWait: Math.max(...waits) }),
  };
}
