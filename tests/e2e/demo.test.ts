import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

function demo(...args: string[]): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['src/demo/main.ts', ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

describe('npm run demo -- --once', () => {
  it('sees everything that the pipeline did arrive, in under 60 s', async () => {
    const began = performance.now();
    const { exitCode, output } = await demo('--once');
    expect(exitCode, output).toBe(0);
    expect(output).toContain('everything has arrived');
    expect(performance.now() - began).toBeLessThan(60_000);
  });
});
