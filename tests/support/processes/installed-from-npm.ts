import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Installs packages from npm in a new folder, for tests with software that siphon does not need. If that fails, it writes a line
 * to stderr, removes the folder and returns false: the tests are skipped then.
 */
export async function installedFromNpm(folder: string, packages: readonly string[]): Promise<boolean> {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, ...packages];
  try {
    await promisify(execFile)('npm', args);
    return true;
  } catch (error) {
    process.stderr.write(`Not tested: ${packages.join(', ')}: ${String(error)}\n`);
    await rm(folder, { recursive: true, force: true });
    return false;
  }
}
