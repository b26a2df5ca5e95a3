/** Modules that users write, and change while siphon runs. */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks, type ResolveFnOutput } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fileVersion } from '../../../../engine/file-versions.ts';

export type Module = Readonly<Record<string, unknown>>;

/**
 * Imports a module. Returns the same object until one of its files changes, and then loads all of them again. Its files
 * are the modules that it imports by a path, and the files that one of them names: `new URL('./orders.sql',
 * import.meta.url)`, or the texts after `import.meta.dirname` or `__dirname`. Packages are loaded once.
 *
 * @param file an absolute path.
 */
export async function importModule(file: string): Promise<Module> {
  const before = graphs.get(file);
  if (before?.isCurrent() === true) return await before.module;
  before?.forget();
  const graph = new ModuleGraph(file);
  graphs.set(file, graph);
  try {
    return await graph.module;
  } catch (error) {
    // Another attempt may find what is missing now.
    graph.forget();
    if (graphs.get(file) === graph) graphs.delete(file);
    throw error;
  }
}

/** The latest version of each module, by the path that was imported. */
const graphs = new Map<string, ModuleGraph>();

/**
 * A module with all that it imports. Node never forgets an ES module, so the addresses of each graph end with a number of
 * their own. CommonJS modules have no such addresses, but Node can forget them.
 */
class ModuleGraph {
  static readonly #byNumber = new Map<string, ModuleGraph>();
  static readonly #byCommonJs = new Map<string, ModuleGraph>();
  static #count = 0;
  readonly module: Promise<Module>;
  readonly #number = String((ModuleGraph.#count += 1));
  readonly #versions = new Map<string, string>();

  constructor(file: string) {
    // Sees each `import` and `require` of the process.
    if (this.#number === '1') registerHooks({ resolve: (name, context, next) => adopted(name, context.parentURL, next(name, context)) }); // prettier-ignore
    ModuleGraph.#byNumber.set(this.#number, this);
    this.#note(file);
    this.module = import(this.#addressOf(pathToFileURL(file).href)) as Promise<Module>;
  }

  static of(url: string): ModuleGraph | undefined {
    const [, number] = /\?loaded=(\d+)$/.exec(url) ?? [];
    return number === undefined ? ModuleGraph.#byCommonJs.get(url) : ModuleGraph.#byNumber.get(number);
  }

  isCurrent(): boolean {
    return [...this.#versions].every(([file, version]) => fileVersion(file) === version);
  }

  /** The component that uses the graph may still import the rest of it. */
  forget(): void {
    const { cache } = createRequire(import.meta.url);
    for (const file of this.#versions.keys()) delete cache[file];
  }

  /** Called before a module of the graph is read. */
  add(module: ResolveFnOutput): ResolveFnOutput {
    const [url = ''] = module.url.split('?', 1);
    const file = fileURLToPath(url);
    this.#note(file);
    for (const named of filesNamedIn(file)) this.#note(named);
    const format = formatOf(file, module);
    if (!isEsModule({ format })) ModuleGraph.#byCommonJs.set(url, this);
    return { ...module, format, url: this.#addressOf(url) };
  }

  #addressOf(url: string): string {
    return `${url}?loaded=${this.#number}`;
  }

  #note(file: string): void {
    if (!this.#versions.has(file)) this.#versions.set(file, fileVersion(file));
  }
}

function isEsModule({ format }: Pick<ResolveFnOutput, 'format'>): boolean {
  return format === 'module' || format === 'module-typescript' || format === 'json';
}

/**
 * TypeScript with `import` or `export` is an ES module, also in a CommonJS project, where a compiler would translate it.
 * Node only removes the types, and cannot load it as CommonJS.
 */
function formatOf(file: string, { format }: ResolveFnOutput): ResolveFnOutput['format'] {
  return file.endsWith('.ts') && ES_SYNTAX.test(readSource(file)) ? 'module-typescript' : format;
}

/** Without what is removed together with the types. */
const ES_SYNTAX = /^(?:import|export)\b(?!\s*(?:type|interface|declare)\b)\s*[\w'"{*]/m;

function adopted(name: string, parent: string | undefined, module: ResolveFnOutput): ResolveFnOutput {
  // The first module of a graph is imported by siphon, with the number of the graph.
  const graph = ModuleGraph.of(parent ?? '') ?? ModuleGraph.of(module.url);
  const isPath = /^(?:\.{0,2}\/|file:|#)/.test(name) && module.url.startsWith('file:');
  return graph !== undefined && isPath ? graph.add(module) : module;
}

const URL_OF_FILE = /new URL\(\s*(['"`])(?<file>[^'"`\n]+)\1\s*,\s*import\.meta\.url\s*\)/g;
const PARTS_OF_PATH = /(?:import\.meta\.dirname|__dirname)\s*,\s*(?<parts>(?:(['"`])[^'"`\n]*\2\s*,?\s*)+)/g;

/** Files that the source of a module names, whether or not they exist. */
function filesNamedIn(file: string): readonly string[] {
  const source = readSource(file);
  const base = pathToFileURL(file);
  const urls = [...source.matchAll(URL_OF_FILE)].map(({ groups }) => URL.parse(groups?.['file'] ?? '', base.href));
  const paths = [...source.matchAll(PARTS_OF_PATH)].map(({ groups }) =>
    path.join(
      path.dirname(file),
      ...[...(groups?.['parts'] ?? '').matchAll(/(['"`])(.*?)\1/g)].map(([, , part = '']) => part),
    ),
  );
  return [...urls.flatMap((url) => (url?.protocol === 'file:' ? [fileURLToPath(url)] : [])), ...paths];
}

/** Node reports a file that cannot be read. */
function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
