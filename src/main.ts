#!/usr/bin/env node
/** Checks the version of Node before it loads the program, which an older Node cannot even parse. */
import { assertSupportedNode } from './sdk/supported-node.ts';

try {
  assertSupportedNode(process.versions.node);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}

// A reload that is requested before the configuration is read is done with the start. By default, SIGHUP ends the process.
if (process.argv[2] === 'run') process.on('SIGHUP', () => undefined);

const { runProgram } = await import('./program.ts');
await runProgram(new URL('.', import.meta.url));
