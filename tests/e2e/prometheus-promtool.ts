import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `promtool check metrics` says about a page in the text format: one line for each complaint. */
export function checkMetrics(page: string): string[] {
  return promtool(['check', 'metrics'], page);
}

/** What `promtool check config` complains of in a `prometheus.yml`. */
export function checkConfig(yaml: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'siphon-promtool-'));
  try {
    writeFileSync(join(folder, 'prometheus.yml'), yaml);
    return promtool(['check', 'config', join(folder, 'prometheus.yml')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Debian installs it with Prometheus. It stops reading at a mistake, which it tells, and which is no error here. */
function promtool(args: readonly string[], input = ''): string[] {
  const { status, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (status === null) throw error ?? new Error('promtool was killed');
  return stderr.split('\n').filter((line) => line !== '');
}
