/** Functions of one value of a vector. */
import type { FunctionName } from '../syntax/function-signature.ts';
import { PromqlError } from '../promql-error.ts';

/** Undefined if there is no value. `one` and `two` are the arguments behind the vector. */
type ValueFunction = (value: number, one: number, two: number) => number | undefined;

export const valueFunctions: Readonly<Partial<Record<FunctionName, ValueFunction>>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  clamp: (value, least, most) => (most < least ? undefined : larger(least, smaller(most, value))),
  clamp_max: (value, most) => smaller(most, value),
  clamp_min: (value, least) => larger(least, value),
  cos: Math.cos,
  cosh: Math.cosh,
  day_of_month: dated((date) => date.getUTCDate()),
  day_of_week: dated((date) => date.getUTCDay()),
  day_of_year: dated((date) => (startOfDay(date) - Date.UTC(date.getUTCFullYear(), 0)) / DAY_MS + 1),
  days_in_month: dated((date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()),
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  hour: dated((date) => date.getUTCHours()),
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  minute: dated((date) => date.getUTCMinutes()),
  month: dated((date) => date.getUTCMonth() + 1),
  rad: (value) => (value * Math.PI) / 180,
  // The inverse, because a product with 0.1 is less exact than a quotient by 10.
  round: (value, to) => Math.floor(value * (1 / to) + 0.5) / (1 / to),
  sgn: (value) => (value === 0 ? value : Math.sign(value)),
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
  year: dated((date) => date.getUTCFullYear()),
};

/** As in Go, where infinity decides even against NaN. */
function smaller(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

function larger(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

const DAY_MS = 86_400_000;

function startOfDay(date: Date): number {
  return Math.floor(date.getTime() / DAY_MS) * DAY_MS;
}

/** The value is Unix time; only whole seconds count. */
function dated(of: (date: Date) => number): (value: number) => number {
  return (value) => {
    const date = new Date(Math.trunc(value) * 1000);
    if (Number.isNaN(date.getTime())) {
      throw new PromqlError('execution', `${value} is not a Unix time in seconds with a date`);
    }
    return of(date);
  };
}
