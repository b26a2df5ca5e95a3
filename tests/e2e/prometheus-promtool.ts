import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns the complaints of `promtool check metrics` about a page in text format. */
export function checkMetrics(page: string): string[] {
  return promtool(['check', 'metrics'], page);
}

/** Returns the complaints of `promtool check config` about a `prometheus.yml`. */
export function checkConfig(yaml: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'siphon-promtool-'));
  try {
    writeFileSync(join(folder, 'prometheus.yml'), yaml);
    return promtool(['check', 'config', join(folder, 'prometheus.yml')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** promtool comes with Prometheus. It stops reading stdin at the first mistake, and the mistake is in its output. */
function promtool(args: readonly string[], input = ''): string[] {
  const { status, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (status === null) throw error ?? new Error('promtool was killed');
  return stderr.split('\n').filter((line) => line !== '');
}
