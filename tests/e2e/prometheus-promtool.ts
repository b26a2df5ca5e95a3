import { spawnSync } from 'node:child_process';

/** What `promtool check metrics` says about a page in the text format: one line for each complaint. */
export function checkMetrics(page: string): string[] {
  return promtool(['check', 'metrics'], page)
    .stderr.split('\n')
    .filter((line) => line !== '');
}

/** Runs promtool with this on its standard input; Debian installs it with Prometheus. */
export function promtool(
  args: readonly string[],
  input: string,
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
