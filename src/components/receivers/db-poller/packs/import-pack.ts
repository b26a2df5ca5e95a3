/** Packs in modules that users write. */
import { access } from 'node:fs/promises';
import * as v from 'valibot';
import type { DatabasePack } from '../query.ts';
import { importModule, type Module } from './module-graph.ts';

/**
 * Imports the pack that a module exports: its default export, the export `pack`, or the only export that is a pack.
 * Returns the same object until a file of the module changes.
 *
 * @param file an absolute path.
 * @throws Error with a sentence about the problem, without the name of the file.
 */
export async function importPack(file: string): Promise<DatabasePack> {
  if (!(await isReadable(file))) throw new Error('file not found, or not readable');
  const exported = findPack(await importOrExplain(file));
  const { issues } = v.safeParse(packShape, exported);
  if (issues)
    throw new TypeError(`does not export a pack: ${describe(issues[0])}; use definePack from siphon-otel/pack`);
  return exported as DatabasePack;
}

async function isReadable(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

async function importOrExplain(file: string): Promise<Module> {
  try {
    return await importModule(file);
  } catch (error) {
    // Without the number that the loader adds to the address of a module.
    const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\?loaded=\d+/g, '');
    throw new Error(`cannot be imported: ${message}${remedyOf(error, message)}`, { cause: error });
  }
}

function remedyOf(error: unknown, message: string): string {
  if ((error as NodeJS.ErrnoException).code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING')
    return '; copy the pack out of node_modules, where Node.js reads no TypeScript';
  return message.includes("'siphon-otel'") ? '; install siphon-otel in the project of the pack' : '';
}

/** The pack, or what the module exports in its place. */
function findPack(module: Module): unknown {
  const exported = module['default'];
  // A module that a compiler turned into CommonJS has its default export one level deeper.
  const inner = isTranspiled(exported) ? exported : module;
  const preferred = [inner['default'], inner['pack']].filter((one) => one !== undefined);
  const names = Object.keys(inner).filter((name) => name !== '__esModule' && name !== 'module.exports');
  const packs = names.filter((name) => v.is(packShape, inner[name]));
  const pack = preferred.find((one) => v.is(packShape, one)) ?? (packs.length === 1 ? inner[packs[0]!] : undefined);
  if (pack !== undefined) return pack;
  if (packs.length > 1)
    throw new TypeError(`exports several packs: ${packs.join(', ')}; export one of them as default`);
  if (preferred.length > 0) return preferred[0];
  if (names.length === 0) throw new TypeError('exports nothing: export the pack as default');
  throw new TypeError(`does not export a pack: none of ${names.join(', ')} is one; export the pack as default`);
}

function isTranspiled(exported: unknown): exported is Module {
  return typeof exported === 'object' && exported !== null && '__esModule' in exported;
}

const names = v.array(v.string('must be text'), 'must be a list of names');
const lazyList = v.union([v.function(), v.array(v.looseObject({}))], 'must be a list or a function');
const packShape = v.looseObject(
  {
    name: v.pipe(v.string('must be text'), v.regex(/^[a-z][a-z0-9_]*$/, 'must be in snake case')),
    metrics: v.record(v.string(), v.looseObject({ name: v.string('must be text') }), 'must describe metrics'),
    database: v.optional(
      v.looseObject(
        {
          settings: v.optional(v.looseObject({ entries: v.looseObject({}) }, 'must be a strictObject of valibot')),
          names: v.looseObject({ gauges: names, counters: names }, 'must list gauges and counters'),
          create: v.function('must be a function'),
        },
        'must be the result of packQueries',
      ),
    ),
    dashboards: v.optional(lazyList),
    alerts: v.optional(lazyList),
    runbooks: v.optional(
      v.looseObject(
        { folder: v.instance(URL, 'must be a URL'), address: v.string('must be text') },
        'must be an object',
      ),
    ),
  },
  'must be an object',
);

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  if (path === null) return issue.message;
  return issue.received === 'undefined' ? `${path} is missing` : `${path} ${issue.message}`;
}
