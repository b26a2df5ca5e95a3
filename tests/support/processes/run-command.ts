import { componentFactories } from '../../../src/components/index.ts';
import { packs as builtInPacks } from '../../../src/packs/index.ts';
import { checkPackFile, loadWithPackFiles } from '../../../src/packs/pack-file.ts';
import { startPreview } from '../dashboards/built-page.ts';
import { runCli } from '../../../src/cli/cli.ts';

export interface Ran {
  readonly exitCode: number;
  readonly printed: string;
  readonly errors: string;
}

/** Runs a command in this process, from the sources. */
export async function runCommand(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  const printed: string[] = [];
  const errors: string[] = [];
  const exitCode = await runCli(args, {
    environment,
    version: '0.0.0',
    hasColours: false,
    columns: 80,
    factories: componentFactories(builtInPacks),
    preload: new URL('../../../dist/sdk/preload.cjs', import.meta.url),
    packs: builtInPacks,
    showProgress: () => {},
    loadPacks: loadWithPackFiles,
    checkPackFile,
    startPreview,
    print: (text) => printed.push(text),
    printError: (text) => errors.push(text),
  });
  return { exitCode, printed: printed.join('\n'), errors: errors.join('\n') };
}
