const LOW_DIGITS = 8;
const LOW = 10 ** LOW_DIGITS;

/**
 * Writes a safe integer of at least 0, and returns its end. It writes digits instead of strings, which would be garbage: a
 * page has a hundred thousand numbers.
 */
export function writeInteger(target: Uint8Array, at: number, value: number): number {
  if (value < LOW) return writeDigits(target, at, value, digits(value));
  const high = Math.floor(value / LOW);
  const middle = writeDigits(target, at, high, digits(high));
  return writeDigits(target, middle, value - high * LOW, LOW_DIGITS);
}

/** The same for numbers from a million on, in the text format's style: `1.25e+06`. */
export function writeExponential(target: Uint8Array, at: number, value: number): number {
  let end = writeInteger(target, at + 1, value);
  const exponent = end - at - 2;
  target[at] = target[at + 1] as number;
  target[at + 1] = POINT;
  while (target[end - 1] === ZERO) end--;
  if (target[end - 1] === POINT) end--;
  target[end++] = E;
  target[end++] = PLUS;
  return writeDigits(target, end, exponent, 2);
}

const ZERO = 0x30;
const POINT = 0x2e;
const E = 0x65;
const PLUS = 0x2b;

/** `value` is below 2^31 and has at most `count` digits. */
function writeDigits(target: Uint8Array, start: number, value: number, count: number): number {
  let rest = value;
  for (let at = start + count - 1; at >= start; at--) {
    const quotient = (rest / 10) | 0;
    target[at] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  return start + count;
}

function digits(value: number): number {
  if (value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  let count = 4;
  for (let limit = 10_000; value >= limit; limit *= 10) count++;
  return count;
}
