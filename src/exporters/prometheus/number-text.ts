/** A number as Go's `strconv.FormatFloat(value, 'g', -1, 64)` writes it, which is what the stock page shows; -0 is 0 there. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  if (Number.isFinite(value)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** The most bytes that a number takes. */
export const MAX_NUMBER_BYTES = 32;

/** Writes `numberText(value)` and returns the position behind it. The caller has reserved `MAX_NUMBER_BYTES`. */
export function writeNumber(target: Buffer, position: number, value: number): number {
  if (value >= 0 && value < 1e6 && value === (value | 0)) return writeSmallInteger(target, position, value);
  return position + target.write(numberText(value), position, 'latin1');
}

function writeSmallInteger(target: Buffer, position: number, value: number): number {
  const end = position + digits(value);
  let rest = value;
  for (let at = end - 1; at >= position; at--) {
    const quotient = (rest / 10) | 0;
    target[at] = 48 + rest - quotient * 10;
    rest = quotient;
  }
  return end;
}

function digits(value: number): number {
  if (value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  return value < 10_000 ? 4 : value < 100_000 ? 5 : 6;
}
