/** `npm run conformance`: siphon's `prometheus` exporter against what the stock one answered. */
import { siphonFromSource } from '../support/processes/collector-process.ts';
import { runCases } from './case-runner.ts';
import { cases } from './cases.ts';
import { declaredIds } from './declared-ids.ts';
import { readRecording } from './recording.ts';
import { judge } from './verdict.ts';

const pages = await runCases(siphonFromSource, cases);
const { matches, declared, problems } = judge({ cases, recording: readRecording(), pages, declaredIds: declaredIds() });
for (const problem of problems) process.stdout.write(`${problem}\n\n`);
process.stdout.write(
  `${cases.length} cases: ${matches} match, ${declared} differ as declared, ${problems.length} undeclared\n`,
);
if (problems.length > 0) process.exitCode = 1;
