import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CollectorProgram } from '../support/processes/collector-process.ts';

const MODULE = fileURLToPath(new URL('stock-collector', import.meta.url));
const BINARY = fileURLToPath(new URL('../../node_modules/.cache/siphon/otelcol-stock', import.meta.url));

/** Two minutes the first time; Go's own cache makes it seconds afterwards. */
export function buildStockCollector(): CollectorProgram {
  process.stderr.write('Building the stock Collector; set SIPHON_STOCK_COLLECTOR to use an existing one\n');
  const { status, error } = spawnSync('go', ['build', '-mod=mod', '-o', BINARY, '.'], {
    cwd: MODULE,
    stdio: 'inherit',
  });
  if (status !== 0) {
    throw new Error(`the stock Collector cannot be built in ${MODULE}: is Go installed?`, { cause: error });
  }
  return { name: 'stock', command: [BINARY] };
}
