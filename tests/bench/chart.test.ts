import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('draws docs/performance.svg from tests/bench/results/growth.json', () => {
  const chart = execFileSync(process.execPath, ['tests/bench/chart.ts', 'tests/bench/results/growth.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(readFileSync(`${root}docs/performance.svg`, 'utf8')).toBe(chart);
});
