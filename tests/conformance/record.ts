/** `npm run conformance:record`: writes down what the stock Collector answers. */
import { stockCollector } from '../support/collector-process.ts';
import { buildStockCollector } from './build-stock-collector.ts';
import { runCases } from './case-runner.ts';
import { cases } from './cases.ts';
import { writeRecording } from './recording.ts';

const pages = await runCases(stockCollector() ?? buildStockCollector(), cases);
writeRecording(cases, pages);
process.stdout.write(`${pages.size} cases recorded\n`);
