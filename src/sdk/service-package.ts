/** Finds the package.json of the service, which names it and what it uses. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export interface ServicePackage {
  /** Undefined if neither a package.json nor its folder names the service. */
  readonly name?: string;
  readonly version?: string;
  /** The names of the packages that it asks for. */
  readonly dependencies: ReadonlySet<string>;
}

/** Their names are those of a layout, and many services would share them. */
const LAYOUT =
  /^(?:|app|application|apps|bin|build|code|cwd|data|dist|home|lib|main|mnt|opt|out|output|package|packages|project|repo|root|server|service|services|site|source|sources?|src|srv|target|task|tmp|usr|var|work|workdir|workspace|www)$/i;

/**
 * Reads each package.json from the script upwards to the first with a name. Without one, the folder names the service, as
 * `npm init` would. A script within `node_modules` is a tool that runs the service of the working directory, for example
 * `next start`.
 */
export function servicePackage(script = process.argv[1], workingDirectory = process.cwd()): ServicePackage {
  const isService = script !== undefined && !script.split(path.sep).includes('node_modules');
  const folders = upwards(isService ? path.dirname(script) : workingDirectory);
  const all = folders.map(readManifest).filter((manifest) => manifest !== undefined);
  const named = all.findIndex(({ name }) => name !== undefined);
  const own = named < 0 ? all : all.slice(0, named + 1);
  const dependencies = new Set(own.flatMap((manifest) => [...manifest.dependencies]));
  if (named >= 0) return { ...identityOf(own[named]!), dependencies };
  const candidates = own.length === 0 && isService ? folders.slice(0, 1) : own.map(({ folder }) => folder);
  const name = candidates.map(nameOf).find((found) => found !== undefined);
  return { dependencies, ...(name !== undefined && { name }) };
}

/** True if Node.js takes the script for an ES module. */
export function isModule(script = process.argv[1]): boolean {
  if (script === undefined || /\.[cm][jt]s$/.test(script)) return /\.m[jt]s$/.test(script ?? '');
  return (
    upwards(path.dirname(script))
      .map(readManifest)
      .find((manifest) => manifest !== undefined)?.type === 'module'
  );
}

function identityOf({ name, version }: Manifest): Omit<ServicePackage, 'dependencies'> {
  return { ...(name !== undefined && { name }), ...(version !== undefined && { version }) };
}

function upwards(folder: string): readonly string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

function nameOf(folder: string): string | undefined {
  const name = path.basename(folder);
  return folder === homedir() || LAYOUT.test(name) ? undefined : name;
}

const DEPENDENCY_LISTS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

interface Manifest extends ServicePackage {
  readonly folder: string;
  readonly type: unknown;
}

function readManifest(folder: string): Manifest | undefined {
  try {
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    const { name, version, type, ...lists } = JSON.parse(text) as Record<string, unknown>;
    return {
      folder,
      type,
      ...(isText(name) && { name }),
      ...(isText(version) && { version }),
      dependencies: new Set(DEPENDENCY_LISTS.flatMap((list) => Object.keys(lists[list] ?? {}))),
    };
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
