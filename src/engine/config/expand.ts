import { readFileSync, statSync } from 'node:fs';
import { ConfigError, type ProblemList } from './config-error.ts';
import type { ConfigNode, ConfigPath, EmptyVariable, Place, ScalarNode } from './config-node.ts';
import { suggestVariable } from './nearest-name.ts';
import { MAX_SOURCE_LENGTH, parseYaml } from './parse-yaml.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ExpandContext {
  readonly environment: Environment;
  readonly problems: ProblemList;
  /** Called once for each variable that has neither a value nor a default. */
  readonly onUnset: (variable: string, place: Place, path: ConfigPath) => void;
}

/**
 * Replaces `${env:VAR}`, `${env:VAR:-default}`, `${VAR}`, `${file:path}` and `${yaml:text}`; `$$` becomes one dollar. A reference that
 * is the whole value is parsed as YAML, one inside a text is inserted as text. The text of a variable or file is not
 * expanded again, so that a password with `$$` or `${` arrives unchanged. (The stock Collector expands it again.) In
 * a mapping or list from a variable or file, references are expanded.
 * https://github.com/open-telemetry/opentelemetry-collector/blob/main/confmap/README.md
 */
export function expandNode(root: ConfigNode, context: ExpandContext): ConfigNode {
  return new Expansion(context).node(root, [], 0);
}

const MAX_ROUNDS = 50;
const MAX_REFERENCES = 10_000;
const ENDLESS = 'contains references that never end';
const WITH_DEFAULT = /^(?:env:)?([a-zA-Z_][a-zA-Z0-9_]*):-/;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A mistake in one value. The others are still expanded. */
class ExpandError extends Error {
  override readonly name = 'ExpandError';
}

interface Found {
  readonly text: string;
  readonly end: number;
}

class Expansion {
  readonly #context: ExpandContext;
  readonly #reported = new Set<string>();
  #references = 0;
  #empty: EmptyVariable[] = [];
  #path: ConfigPath = [];

  constructor(context: ExpandContext) {
    this.#context = context;
  }

  node(node: ConfigNode, path: ConfigPath, round: number): ConfigNode {
    if (node.kind === 'sequence') {
      return { ...node, items: node.items.map((item, index) => this.node(item, [...path, index], round)) };
    }
    if (node.kind === 'mapping') {
      const entries = [...node.entries].map(([key, child]) => [key, this.node(child, [...path, key], round)] as const);
      return { ...node, entries: new Map(entries) };
    }
    return typeof node.value === 'string' && node.value.includes('$') ? this.#value(node, path, round) : node;
  }

  #value(node: ScalarNode, path: ConfigPath, round: number): ConfigNode {
    try {
      this.#empty = [];
      this.#path = path;
      return this.#expandValue(node, path, round);
    } catch (error) {
      // A value inside a resolved reference has no place in a file: report the reference itself.
      if (!(error instanceof ExpandError) || round > 0) throw error;
      this.#context.problems.add({ place: node.place }, path, error.message);
      return { ...node, value: null };
    }
  }

  #expandValue(node: ScalarNode, path: ConfigPath, round: number): ConfigNode {
    const source = String(node.value);
    const reference = wholeReference(source);
    if (reference === undefined) {
      const value = this.#text(source, node.place, round);
      return { ...node, value, ...this.#emptySoFar() };
    }
    const text = this.#resolve(reference, node.place, round);
    const empty = this.#emptySoFar();
    const parsed = parseResolved(text, node.place);
    const value = parsed.kind === 'scalar' ? parsed : this.node(parsed, path, round + 1);
    return { ...value, place: node.place, text, ...empty };
  }

  #emptySoFar(): Pick<ConfigNode, 'emptyVariables'> {
    return this.#empty.length === 0 ? {} : { emptyVariables: this.#empty };
  }

  /** The text with all references replaced. */
  #text(source: string, place: Place, round: number): string {
    if (round > MAX_ROUNDS) throw new ExpandError(ENDLESS);
    let out = '';
    let at = 0;
    for (;;) {
      const dollar = source.indexOf('$', at);
      if (dollar < 0) return out + source.slice(at);
      out += source.slice(at, dollar);
      const found = source[dollar + 1] === '{' ? referenceAt(source, dollar) : undefined;
      if (found !== undefined) {
        out += this.#resolve(found.text, place, round);
      } else out += '$';
      if (out.length > MAX_SOURCE_LENGTH)
        throw new ExpandError('is longer than 1 MiB after its references are expanded');
      at = found?.end ?? dollar + (source[dollar + 1] === '$' ? 2 : 1);
    }
  }

  #resolve(written: string, place: Place, round: number): string {
    this.#references += 1;
    if (this.#references > MAX_REFERENCES) throw new ExpandError(ENDLESS);
    // The default of a variable that is set does not matter: an unset variable in it is not a mistake.
    const variable = WITH_DEFAULT.exec(written)?.[1];
    if (variable !== undefined && this.#valueOf(variable) !== undefined) return this.#variable(variable, place);
    const reference = this.#text(written, place, round + 1);
    if (reference.startsWith('file:')) return readReferenced(reference.slice('file:'.length));
    if (reference.startsWith('yaml:')) return reference.slice('yaml:'.length);
    const scheme = /^([a-z][a-z0-9+.-]*):(?!-)/.exec(reference)?.[1] ?? 'env';
    if (scheme !== 'env') {
      throw new ExpandError(`contains a reference with ${scheme}:, but only env:, file: and yaml: are allowed`);
    }
    return this.#variable(reference.replace(/^env:/, ''), place);
  }

  #variable(reference: string, place: Place): string {
    const mark = reference.indexOf(':-');
    const name = mark < 0 ? reference : reference.slice(0, mark);
    if (!NAME.test(name)) {
      throw new ExpandError(
        'contains a variable name that is not valid: use letters, digits and _, and do not start with a digit',
      );
    }
    const value = this.#valueOf(name);
    const text = value ?? (mark < 0 ? '' : reference.slice(mark + 2));
    const isUnset = value === undefined && mark < 0;
    if (text === '') this.#empty.push(this.#emptyVariable(name, isUnset));
    if (!isUnset) return text;
    if (!this.#reported.has(name)) this.#context.onUnset(name, place, this.#path);
    this.#reported.add(name);
    return '';
  }

  #emptyVariable(name: string, isUnset: boolean): EmptyVariable {
    if (this.#valueOf(name) !== undefined) return { name, state: 'empty', suggestion: '' };
    const suggestion = suggestVariable(name, Object.keys(this.#context.environment));
    return { name, state: isUnset ? 'unset' : 'defaulted', suggestion };
  }

  #valueOf(variable: string): string | undefined {
    const { environment } = this.#context;
    return Object.hasOwn(environment, variable) ? environment[variable] : undefined;
  }
}

/** The content of `${…}`, if the text consists of nothing else. */
function wholeReference(source: string): string | undefined {
  const found = source.startsWith('${') ? referenceAt(source, 0) : undefined;
  return found?.end === source.length ? found.text : undefined;
}

/** The reference that begins at `start`, with those inside it; undefined if it is never closed. */
function referenceAt(source: string, start: number): Found | undefined {
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    if (source.startsWith('$$', at)) at += 1;
    else if (source.startsWith('${', at)) depth += 1;
    else if (source[at] === '}') depth -= 1;
    if (depth === 0 && at > start) return { text: source.slice(start + 2, at), end: at + 1 };
  }
  return undefined;
}

/** A text that is not valid YAML, like many passwords, remains a text. */
function parseResolved(text: string, place: Place): ConfigNode {
  try {
    return parseYaml(place.source, text, place);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { kind: 'scalar', place, value: text };
  }
}

function readReferenced(path: string): string {
  try {
    if (statSync(path).size > MAX_SOURCE_LENGTH)
      throw new ExpandError(`refers to the file ${path}, which is larger than 1 MiB`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ExpandError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ExpandError(`refers to the file ${path}, which cannot be read (${code ?? 'unknown reason'})`, {
      cause: error,
    });
  }
}
