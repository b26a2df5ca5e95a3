/** `npm run conformance:record`: writes down what the stock Collector answers. */
import { isDeepStrictEqual } from 'node:util';
import { stockCollector } from '../support/processes/collector-process.ts';
import { buildStockCollector } from './build-stock-collector.ts';
import { runCases } from './case-runner.ts';
import { cases } from './cases.ts';
import { writeRecording } from './recording.ts';

/** This many recordings must be equal, because a page that depends on the order of a Go map varies. */
const RECORDINGS = 5;

const program = stockCollector() ?? buildStockCollector();
const steady = cases.filter(({ stockIsRandom }) => stockIsRandom !== true);
const pages = await runCases(program, steady);
const random = new Set<string>();
for (let i = 1; i < RECORDINGS; i++) {
  for (const [name, page] of await runCases(program, steady)) {
    if (!isDeepStrictEqual(page, pages.get(name))) random.add(name);
  }
}
if (random.size > 0) throw new Error(`the stock Collector answers at random: ${[...random].join(', ')}`);
writeRecording(steady, pages);
process.stdout.write(`${pages.size} cases recorded\n`);
