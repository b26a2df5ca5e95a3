/** The command `siphon`: reads arguments and the environment, and sets the exit code. */
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './cli/cli.ts';
import { componentFactories, type PageFiles, type ReadPackRules } from './components/index.ts';
import { composed } from './console/composed.ts';
import { VIEWS } from './console/page-settings.ts';
import { textView } from './console/text/text-views.ts';
import { packs } from './packs/index.ts';

/** @param built the folder that the build writes, with the page and the preload. */
export async function runProgram(built: URL): Promise<void> {
  const page = new URL('console/', built);
  // The reader of a pipe, such as `head`, may end before this command.
  for (const output of [process.stdout, process.stderr])
    output.on('error', (error: NodeJS.ErrnoException) => {
      // A full disk or a reader that left must not end a sidecar. The error cannot be logged either.
      if (output === process.stderr) return;
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  process.exitCode = await runCli(process.argv.slice(2), {
    environment: process.env,
    version: manifest.version,
    factories: componentFactories(
      packs,
      { readPage: async () => await readPage(page), views: VIEWS, composed, textView },
      readPackRules,
    ),
    loadPacks: async (files) => await (await import('./packs/pack-file.ts')).loadWithPackFiles(files),
    checkPackFile: async (file) => await (await import('./packs/pack-file.ts')).checkPackFile(file),
    startPreview: async (options) =>
      await (await import('./console/preview/server.ts')).startPreview({ ...options, page }),
    packs,
    preload: new URL('sdk/preload.cjs', built),
    print: (text) => process.stdout.write(`${text}\n`),
    printError: (text) => process.stderr.write(`${text}\n`),
    hasColours: process.stdout.isTTY && process.stdout.hasColors(),
    // A file or a log has no width, and must not lose what is at the end of a line.
    columns: process.stdout.columns ?? (Number(process.env['COLUMNS']) || 200),
    showProgress,
  });
  // No exit yet: output to a pipe may still be in flight. The timer ends a process in which something hangs.
  setTimeout(() => process.exit(), 1000).unref();
}

async function readPage(folder: URL): Promise<PageFiles> {
  const [{ consoleFiles }, { loadPacks }] = await Promise.all([
    import('./console/console-files.ts'),
    import('./packs/load.ts'),
  ]);
  return consoleFiles(folder, (await loadPacks(packs)).dashboards);
}

/** The rules are built when a sidecar needs them. */
const readPackRules: ReadPackRules = async (choice) =>
  await (await import('./packs/rule-texts.ts')).ruleTexts(packs, choice);

/** Replaces the line before. Does nothing if the output is not a terminal. */
function showProgress(text: string): void {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, columns - 1)}`);
}
