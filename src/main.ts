#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCli } from './cli/cli.ts';
import { componentFactories } from './components/index.ts';
import { packs } from './packs/index.ts';

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

const exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  version,
  factories: componentFactories(packs),
  loadRuleSource: async () => await (await import('./packs/load.ts')).loadPacks(packs),
  packs,
  dashboardsFolder: fileURLToPath(new URL('../dashboards', import.meta.url)),
  print: (text) => process.stdout.write(`${text}\n`),
  printError: (text) => process.stderr.write(`${text}\n`),
  hasColours: process.stdout.isTTY && process.stdout.hasColors(),
  showProgress,
});
// No exit yet: output to a pipe may still be in flight. The timer ends a process in which something hangs.
process.exitCode = exitCode;
setTimeout(() => process.exit(), 1000).unref();

/** Replaces the line before. Does nothing if the output is not a terminal. */
function showProgress(text: string): void {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, columns - 1)}`);
}
