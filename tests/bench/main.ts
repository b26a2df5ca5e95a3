/** `npm run bench`: compares siphon with the stock Collector under the same load. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { builtSiphon, stockCollector, type CollectorProgram } from '../support/processes/collector-process.ts';
import {
  cases,
  countingCases,
  forwardingCases,
  growthCases,
  samplingCases,
  sentryCases,
  type BenchCase,
  type CountingCase,
  type ForwardingCase,
  type SamplingCase,
  type SentryCase,
} from './cases.ts';
import { measureCounting } from './forwarding/measure-counting.ts';
import { measureSentry } from './forwarding/measure-sentry.ts';
import { measureSampling } from './forwarding/measure-sampling.ts';
import { measureForwarding } from './forwarding/measure-forwarding.ts';
import { measureCase, type CaseResult } from './measure-case.ts';
import { caseLines, heading } from './report.ts';

const allCases = [...cases, ...forwardingCases, ...countingCases, ...samplingCases, ...sentryCases];

const HELP = `npm run bench -- [options]

  --case NAME   run only this case, can be repeated: ${allCases.map(({ name }) => name).join(', ')}
  --growth      run siphon only, with 1,000 to 1,000,000 series and 0 to 16 attributes a point, instead of the cases;
                can be combined with --case NAME, for example ${growthCases[0]?.name}
  --rounds N    measure each case N times and print the medians (default: 3)
  --json FILE   also write the results to this file
  --help        print this text

SIPHON_STOCK_COLLECTOR is the path of the stock Collector.
tests/conformance/stock-collector/README.md explains how to build it.
`;

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    growth: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// Exit handlers stop the programs under load.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (options.help) process.stdout.write(HELP);
else await bench(options.case, Number(options.rounds));

async function bench(names: readonly string[] | undefined, rounds: number): Promise<void> {
  const known = options.growth ? growthCases : allCases;
  const unknown = names?.find((name) => known.every((one) => one.name !== name));
  if (unknown !== undefined || !(Number.isInteger(rounds) && rounds > 0)) {
    process.stderr.write(unknown === undefined ? '--rounds must be a whole number above 0\n' : `no case ${unknown}\n`);
    process.exitCode = 1;
    return;
  }
  const chosen = known.filter(({ name }) => names?.includes(name) ?? true);
  const programs = options.growth ? [builtSiphon] : comparedPrograms();
  process.stdout.write(`${heading()}\n`);
  const results = await measure(chosen, programs, rounds);
  if (options.json !== undefined) await writeJson(options.json, { rounds, results });
}

function comparedPrograms(): CollectorProgram[] {
  const stock = stockCollector();
  if (stock !== undefined) return [builtSiphon, stock];
  process.stdout.write(`Running siphon only. To compare it:\n${HELP.split('\n\n').at(-1)}\n`);
  return [builtSiphon];
}

type AnyCase = BenchCase | ForwardingCase | CountingCase | SamplingCase | SentryCase;

async function measure(
  chosen: readonly AnyCase[],
  programs: readonly CollectorProgram[],
  rounds: number,
): Promise<Record<string, CaseResult & Partial<AnyCase>>> {
  const results: Record<string, CaseResult & Partial<AnyCase>> = {};
  for (const one of chosen) {
    const result = await measureOne(one, programs, rounds);
    const { name: _name, budget: _budget, limit: _limit, ...described } = one;
    results[one.name] = { ...described, ...result };
    process.stdout.write(`${caseLines(one, result)}\n`);
  }
  return results;
}

async function measureOne(one: AnyCase, programs: readonly CollectorProgram[], rounds: number): Promise<CaseResult> {
  if ('samples' in one) return await measureSampling(programs, rounds);
  if ('counts' in one) return await measureCounting(programs, rounds);
  if ('spansPerTrace' in one) return await measureSentry(one, builtSiphon, rounds);
  return await ('compression' in one ? measureForwarding(one, programs, rounds) : measureCase(one, programs, rounds));
}

async function writeJson(file: string, run: object): Promise<void> {
  const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version };
  await writeFile(file, `${JSON.stringify({ machine, ...run }, undefined, 2)}\n`);
}
