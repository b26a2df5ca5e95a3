import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MODULE = new URL('./young-generation.ts', import.meta.url).href;

/** The size of the young generation after a process has made many objects. Some of them lived for a while. */
async function youngMebibytesAfterWork(prelude: string, ...flags: string[]): Promise<number> {
  const program = `${prelude}
    const { getHeapSpaceStatistics } = await import('node:v8');
    let kept = [];
    for (let i = 0; i < 3e6; i++) {
      kept.push({ i });
      if (kept.length > 20_000) kept = [];
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20);`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', program]);
  return Number(stdout);
}

const SMALL = `(await import(${JSON.stringify(MODULE)})).keepYoungGenerationSmall();`;

test('V8 does not enlarge the young generation of the running sidecar', async () => {
  expect(await youngMebibytesAfterWork('')).toBeGreaterThan(4);
  expect(await youngMebibytesAfterWork(SMALL)).toBeLessThanOrEqual(4);
});

test('a flag may ask for a larger one', async () => {
  expect(await youngMebibytesAfterWork(SMALL, '--min-semi-space-size=8')).toBeGreaterThanOrEqual(16);
});
