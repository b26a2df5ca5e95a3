/** `npm run bench`: siphon beside the stock Collector under the same load, in one run. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { builtSiphon, stockCollector, type CollectorProgram } from '../support/processes/collector-process.ts';
import { cases, forwardingCases, growthCases, type BenchCase, type ForwardingCase } from './cases.ts';
import { measureForwarding } from './forwarding/measure-forwarding.ts';
import { measureCase, type CaseResult } from './measure-case.ts';
import { caseLines, heading } from './report.ts';

const HELP = `npm run bench -- [options]

  --case NAME   only this case, may be repeated: ${[...cases, ...forwardingCases].map(({ name }) => name).join(', ')}
  --growth      siphon alone from 1,000 to 1,000,000 series and from 0 to 16 attributes a point, instead of the cases;
                with --case NAME such as ${growthCases[0]?.name} only that one
  --rounds N    how often each case is measured (3); medians are shown
  --json FILE   write the numbers to this file as well
  --help        this text

SIPHON_STOCK_COLLECTOR names the stock Collector's binary; tests/conformance/stock-collector/README.md tells how to build it.
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

// So that whoever stops the bench stops the programs under load too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (options.help) process.stdout.write(HELP);
else await bench(options.case, Number(options.rounds));

async function bench(names: readonly string[] | undefined, rounds: number): Promise<void> {
  const known = options.growth ? growthCases : [...cases, ...forwardingCases];
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
  process.stdout.write(`siphon alone; for the comparison:\n${HELP.split('\n\n').at(-1)}\n`);
  return [builtSiphon];
}

type AnyCase = BenchCase | ForwardingCase;

async function measure(
  chosen: readonly AnyCase[],
  programs: readonly CollectorProgram[],
  rounds: number,
): Promise<Record<string, CaseResult & Partial<AnyCase>>> {
  const results: Record<string, CaseResult & Partial<AnyCase>> = {};
  for (const one of chosen) {
    const isForwarding = 'compression' in one;
    const result = await (isForwarding ? measureForwarding(one, programs, rounds) : measureCase(one, programs, rounds));
    results[one.name] = { ...(isForwarding ? { compression: one.compression } : { shape: one.shape }), ...result };
    process.stdout.write(`${caseLines(one, result)}\n`);
  }
  return results;
}

async function writeJson(file: string, run: object): Promise<void> {
  const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version };
  await writeFile(file, `${JSON.stringify({ machine, ...run }, undefined, 2)}\n`);
}
