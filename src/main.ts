#!/usr/bin/env node
/** Checks the version of Node before it loads the program, which an older Node cannot even parse. */
import { assertSupportedNode } from './sdk/supported-node.ts';

try {
  assertSupportedNode(process.versions.node);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}

const { runProgram } = await import('./program.ts');
await runProgram();
