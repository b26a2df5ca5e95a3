import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

it('validates, runs and polls from the packed package, with nothing but its declared dependencies', async () => {
  await using database = await startTestPostgres();
  await using project = await InstalledProject.create({ without: ['pg'] });
  const command = path.join(project.folder, 'node_modules/.bin/siphon');
  const config = path.join(project.folder, 'node_modules/siphon-otel/otel-collector.yaml');
  const environment = { DATABASE_URL: database.url };

  const validated = await project.run(command, { args: ['validate', '--config', config], environment });
  expect(validated).toMatchObject({ code: 0, stderr: '' });

  const sets = ['receivers.db_poller.collection_interval=250ms'];
  await using sidecar = await Sidecar.start({ command, config, environment, sets });
  await waitFor(async () => /^database_connections_active\b/m.test(await sidecar.scrape()), {
    what: 'the health of the database',
  });
  expect(await sidecar.selfMetrics()).toContain('otelcol_process_uptime');
  expect(await sidecar.stop()).toBe(0);
});

it('contains dashboards and rules in the packed package', async () => {
  await using project = await InstalledProject.create();
  const command = path.join(project.folder, 'node_modules/.bin/siphon');
  const exported = await project.run(command, { args: ['dashboards', 'export', '--dir', 'out'], environment: {} });
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(path.join(project.folder, 'out'))).length).toBe(4);
  const args = ['dashboards', 'export', '--form', 'prometheus', '--dir', 'rules'];
  expect(await project.run(command, { args, environment: {} })).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(path.join(project.folder, 'rules'))).toSorted()).toEqual(['alerts.yaml', 'recording.yaml']);
});

it('builds before it packs, so that a clone without dist gives a whole package', async () => {
  const execute = promisify(execFile);
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const clone = await mkdtemp(path.join(tmpdir(), 'siphon-clone-'));
  try {
    const { stdout: tracked } = await execute('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      maxBuffer: 10 * 1024 * 1024,
    });
    for (const file of tracked.split('\0').filter((name) => name !== '')) {
      await cp(path.join(root, file), path.join(clone, file));
    }
    await symlink(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
    const { stdout } = await execute('npm', ['pack', '--json'], { cwd: clone });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const names = files.map((file) => file.path);
    expect(names).toEqual(expect.arrayContaining(['dist/main.js', 'dist/sdk/preload.cjs', 'dist/packs/pack.js']));
  } finally {
    await rm(clone, { recursive: true });
  }
});
