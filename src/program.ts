/** The command `siphon`: reads arguments and the environment, and sets the exit code. */
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './cli/cli.ts';
import { componentFactories } from './components/index.ts';
import { packs } from './packs/index.ts';

export async function runProgram(): Promise<void> {
  // The reader of a pipe, such as `head`, may end before this command.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  process.exitCode = await runCli(process.argv.slice(2), {
    environment: process.env,
    version: manifest.version,
    factories: componentFactories(packs),
    loadPacks: async (files) => await (await import('./packs/pack-file.ts')).loadWithPackFiles(files),
    checkPackFile: async (file) => await (await import('./packs/pack-file.ts')).checkPackFile(file),
    packs,
    print: (text) => process.stdout.write(`${text}\n`),
    printError: (text) => process.stderr.write(`${text}\n`),
    hasColours: process.stdout.isTTY && process.stdout.hasColors(),
    showProgress,
  });
  // No exit yet: output to a pipe may still be in flight. The timer ends a process in which something hangs.
  setTimeout(() => process.exit(), 1000).unref();
}

/** Replaces the line before. Does nothing if the output is not a terminal. */
function showProgress(text: string): void {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, columns - 1)}`);
}
