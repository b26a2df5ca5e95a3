import { RuleError } from '../rule-error.ts';
import { humanize, humanize1024, humanizeDuration, humanizePercentage } from './humanize.ts';
import { checkFormat, printf } from './printf.ts';
import type { Value } from './alert-data.ts';

interface Argument {
  readonly type: 'number' | 'text';
  readonly literal?: string;
}

export interface TemplateFunction {
  /** @throws RuleError if it cannot have these arguments. */
  readonly check: (args: readonly Argument[]) => void;
  readonly of: (values: readonly Value[]) => string;
}

export const functions: Readonly<Record<string, TemplateFunction>> = {
  humanize: ofNumber(humanize),
  humanize1024: ofNumber(humanize1024),
  humanizeDuration: ofNumber(humanizeDuration),
  humanizePercentage: ofNumber(humanizePercentage),
  toLower: ofText((text) => text.toLowerCase()),
  toUpper: ofText((text) => text.toUpperCase()),
  urlquery: ofText(urlquery),
  printf: {
    check: ([format, ...args]) => {
      if (format?.literal === undefined) throw new RuleError('printf needs its format as a text');
      checkFormat(
        format.literal,
        args.map(({ type }) => type),
      );
    },
    of: ([format, ...values]) => printf(format as string, values),
  },
};

function ofNumber(write: (value: number) => string): TemplateFunction {
  return { check: (args) => checkOne(args, 'number'), of: ([value]) => write(value as number) };
}

function ofText(write: (text: string) => string): TemplateFunction {
  return { check: (args) => checkOne(args, 'text'), of: ([text]) => write(text as string) };
}

function checkOne(args: readonly Argument[], type: Argument['type']): void {
  if (args.length !== 1 || args[0]?.type !== type) throw new RuleError(`it needs one ${type}`);
}

/** Go writes a space as + and keeps only `-_.~` besides letters and digits. */
function urlquery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
