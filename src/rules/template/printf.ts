/** Go's `printf` for numbers and texts. */
import { RuleError } from '../rule-error.ts';
import { exponentText, fixedText, generalText } from './go-number.ts';
import type { Value } from './alert-data.ts';

/** A verb with its flags, width and precision. */
const VERB = /%(?<flags>[-+ 0]*)(?<width>\d{0,2})(?:\.(?<precision>\d{0,2}))?(?<verb>[^])?/g;

interface Verb {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Where Go would write an error into the text, such as `%!d(float64=1)`, this is an error. */
export function checkFormat(format: string, types: readonly ('number' | 'text')[]): void {
  const verbs = [...format.matchAll(VERB)].map(verbOf).filter(({ verb }) => verb !== '%');
  if (verbs.length !== types.length)
    throw new RuleError(`printf has ${verbs.length} verbs, but ${types.length} values`);
  for (const [index, { verb }] of verbs.entries()) {
    const known = types[index] === 'number' ? 'fegv' : 'sv';
    if (verb === '' || !known.includes(verb)) {
      throw new RuleError(
        `printf: %${verb} is not supported for a ${types[index]}; known are ${known
          .split('')
          .map((one) => `%${one}`)
          .join(', ')}`,
      );
    }
  }
}

/** @param format one that `checkFormat` has accepted for values of these types. */
export function printf(format: string, values: readonly Value[]): string {
  let next = 0;
  return format.replaceAll(VERB, (...match) => {
    const verb = verbOf({ groups: match.at(-1) as Record<string, string> });
    return verb.verb === '%' ? '%' : padded(verb, values[next++] as Value);
  });
}

function padded(verb: Verb, value: Value): string {
  const { flags, width } = verb;
  const text = typeof value === 'string' ? cut(value, verb.precision) : signed(numberText(verb, value), flags);
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  const isFinite = typeof value === 'number' && Number.isFinite(value);
  if (!flags.includes('0') || !isFinite) return ' '.repeat(missing) + text;
  const [sign = ''] = /^[-+ ]?/.exec(text) ?? [];
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function numberText({ verb, precision }: Verb, value: number): string {
  if (verb === 'f') return fixedText(value, precision ?? DEFAULT_PRECISION);
  if (verb === 'e') return exponentText(value, precision ?? DEFAULT_PRECISION);
  return generalText(value, precision);
}

const DEFAULT_PRECISION = 6;

/** An infinite number has its sign only if it is asked for. */
function signed(text: string, flags: string): string {
  const isPositive = !text.startsWith('-');
  const plain = text.replace(/^\+/, '');
  if (!isPositive) return text;
  if (flags.includes('+')) return `+${plain}`;
  return flags.includes(' ') ? ` ${plain}` : text;
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : Array.from(text).slice(0, precision).join('');
}

function verbOf({ groups = {} }: { readonly groups?: Readonly<Record<string, string | undefined>> | undefined }): Verb {
  const { flags = '', width = '', precision, verb = '' } = groups;
  return { flags, width: Number(width), precision: precision === undefined ? undefined : Number(precision), verb };
}
