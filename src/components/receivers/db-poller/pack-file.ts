import { access } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import type { DatabasePack, PackQueries } from './query.ts';

/** A pack with queries. */
export type PolledPack = DatabasePack & { readonly database: PackQueries };

/**
 * Imports the pack that a module exports as default or as `pack`. A process imports a module only once: changes take
 * effect after a restart.
 *
 * @param file an absolute path.
 * @returns a sentence about the problem if it is not a pack with queries.
 */
export async function importPack(file: string): Promise<PolledPack | string> {
  if (!(await isReadable(file))) return 'file not found, or not readable';
  const module = await importModule(file);
  if (typeof module === 'string') return module;
  const exported = module['default'] ?? module['pack'];
  if (exported === undefined) return 'does not export a pack: export it as default or as pack';
  const { issues, output } = v.safeParse(packShape, exported);
  if (issues) return `does not export a pack: ${describe(issues[0])}; use definePack from siphon-otel/pack`;
  if (output.database === undefined) return `pack ${output.name} has no database part, so db_poller cannot use it`;
  return exported as PolledPack;
}

async function isReadable(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

async function importModule(file: string): Promise<Readonly<Record<string, unknown>> | string> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return `cannot be imported: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const names = v.array(v.string('must be text'), 'must be a list of names');
const packShape = v.looseObject(
  {
    name: v.pipe(v.string('must be text'), v.regex(/^[a-z][a-z0-9_]*$/, 'must be in snake case')),
    metrics: v.record(v.string(), v.looseObject({ name: v.string('must be text') }), 'must describe metrics'),
    database: v.optional(
      v.looseObject(
        {
          settings: v.looseObject({ entries: v.looseObject({}) }, 'must be a strictObject of valibot'),
          names: v.looseObject({ gauges: names, counters: names }, 'must list gauges and counters'),
          create: v.function('must be a function'),
        },
        'must be the result of packQueries',
      ),
    ),
  },
  'must be an object',
);

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path} ${issue.message}`;
}
