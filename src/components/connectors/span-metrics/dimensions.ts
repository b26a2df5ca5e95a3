/** True for the keys that the pattern selects. */
type Matches = (key: string) => boolean;

/** An attribute that becomes a label. */
export interface NamedDimension {
  readonly name: string;
  /** The label's value without the attribute. Undefined: there is no label then. */
  readonly fallback: string | undefined;
}

/** The attributes that become labels of a metric. */
export interface Dimensions {
  readonly named: readonly NamedDimension[];
  readonly globs: readonly Matches[];
}

interface WrittenDimension {
  readonly name?: string | undefined;
  readonly default?: string | undefined;
  readonly glob?: string | undefined;
}

export function compileDimensions(written: readonly WrittenDimension[]): Dimensions {
  return {
    named: written.flatMap(({ name, default: fallback }) => (name === undefined ? [] : [{ name, fallback }])),
    globs: written.flatMap(({ glob }) => (glob === undefined ? [] : (compileGlob(glob) ?? []))),
  };
}

/** `*` and `?` match any characters but dots, `**` matches any. Undefined for a pattern with other wildcards. */
export function compileGlob(pattern: string): Matches | undefined {
  if (/[[\]{}\\]/.test(pattern)) return undefined;
  const source = pattern.replaceAll(/\*\*|\*|\?|[^\w]/g, (part) => WILDCARDS[part] ?? `\\u${hex(part)}`);
  const expression = new RegExp(`^${source}$`);
  return (key) => expression.test(key);
}

const WILDCARDS: Readonly<Record<string, string>> = { '**': '.*', '*': '[^.]*', '?': '[^.]' };

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}
