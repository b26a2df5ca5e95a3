import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runCommand } from '../support/processes/run-command.ts';
import { promtoolMissing } from '../support/prometheus/promtool.ts';

const shipped = fileURLToPath(new URL('../../deploy/prometheus/prometheus.yaml', import.meta.url));

it.skipIf(promtoolMissing)('promtool accepts the shipped configuration with the rules next to it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-shipped-'));
  try {
    await cp(shipped, path.join(folder, 'prometheus.yaml'));
    await runCommand(['dashboards', 'export', '--form', 'prometheus', '--dir', path.join(folder, 'rules')]);
    const { status, stdout, stderr } = spawnSync(
      'promtool',
      ['check', 'config', path.join(folder, 'prometheus.yaml')],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('SUCCESS: 2 rule files found');
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.skipIf(promtoolMissing)('the linter of promtool has nothing to report about the rules', () => {
  const folder = fileURLToPath(new URL('../../dashboards/prometheus/', import.meta.url));
  const files = ['alerts.yaml', 'recording.yaml'].map((file) => path.join(folder, file));
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...files], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
