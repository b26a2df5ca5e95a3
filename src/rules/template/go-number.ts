/** Numbers as Go's `fmt` writes them, with exact rounding: a half goes to the even digit. */

/** Writes a number as `%.<precision>f`. */
export function fixedText(value: number, precision: number): string {
  if (!Number.isFinite(value)) return specialText(value);
  const { digits, exponent } = decimalOf(value, (magnitude) => magnitude + 1 + precision);
  const whole = digits.slice(0, Math.max(0, exponent + 1)).padEnd(exponent + 1, '0') || '0';
  const fraction = (exponent < 0 ? '0'.repeat(-exponent - 1) + digits : digits.slice(exponent + 1)).padEnd(
    precision,
    '0',
  );
  return signOf(value) + whole + (precision === 0 ? '' : `.${fraction.slice(0, precision)}`);
}

/** Writes a number as `%.<precision>e`; without a precision the shortest digits that give the number back. */
export function exponentText(value: number, precision?: number): string {
  if (!Number.isFinite(value)) return specialText(value);
  const { digits, exponent } = precision === undefined ? shortest(value) : decimalOf(value, () => precision + 1);
  return signOf(value) + scientific(digits.padEnd((precision ?? 0) + 1, '0'), exponent);
}

/** Writes a number as `%.<precision>g`; without a precision the shortest digits that give the number back. */
export function generalText(value: number, precision?: number): string {
  if (!Number.isFinite(value)) return specialText(value);
  const wanted = precision === 0 ? 1 : precision;
  const { digits, exponent } = wanted === undefined ? shortest(value) : decimalOf(value, () => wanted);
  const significant = digits.replace(/0+$/, '') || '0';
  if (exponent < -4 || exponent >= (wanted ?? SHORTEST_LIMIT)) return signOf(value) + scientific(significant, exponent);
  if (exponent < 0) return `${signOf(value)}0.${'0'.repeat(-exponent - 1)}${significant}`;
  const whole = significant.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = significant.slice(exponent + 1);
  return signOf(value) + whole + (fraction === '' ? '' : `.${fraction}`);
}

/** Where the shortest digits get an exponent, in Go. */
const SHORTEST_LIMIT = 6;

interface Decimal {
  /** The first is not 0, except for 0. */
  readonly digits: string;
  /** The power of ten of the first digit: 0 for 1 to 9. */
  readonly exponent: number;
}

/** More digits than a number needs to show which half it is in. */
const EXACT = 100;

/** @param count how many significant digits, by the exponent of the first one; 0 and less are possible. */
function decimalOf(value: number, count: (exponent: number) => number): Decimal {
  const [mantissa = '', power] = Math.abs(value).toExponential(EXACT).split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  const kept = count(exponent);
  if (kept < 0 || value === 0) return { digits: '0', exponent: value === 0 ? 0 : -1 };
  const head = digits.slice(0, kept);
  if (!roundsUp(head, digits.slice(kept)))
    return kept === 0 ? { digits: '0', exponent: -1 } : { digits: head, exponent };
  const up = String(BigInt(head === '' ? '0' : head) + 1n).padStart(kept, '0');
  return up.length > kept ? { digits: up, exponent: exponent + 1 } : { digits: up, exponent };
}

function roundsUp(head: string, tail: string): boolean {
  const half = '5'.padEnd(tail.length, '0');
  if (tail === '' || tail < half) return false;
  return tail > half || Number(head.at(-1) ?? 0) % 2 === 1;
}

function shortest(value: number): Decimal {
  const [mantissa = '', power] = Math.abs(value).toExponential().split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(power) };
}

function scientific(digits: string, exponent: number): string {
  const fraction = digits.slice(1);
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits[0]}${fraction === '' ? '' : `.${fraction}`}e${exponent < 0 ? '-' : '+'}${power}`;
}

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : '';
}

function specialText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
