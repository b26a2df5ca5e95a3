import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Installs a version of Node.js from npm below the folder. Returns the executable. */
export async function installNode(version: string, parent: string): Promise<string> {
  const folder = path.join(parent, version);
  await mkdir(folder);
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `node@${version}`]);
  const node = path.join(folder, 'node_modules/node/bin/node');
  if (!existsSync(node)) throw new Error(`node@${version} has no executable`);
  return node;
}
