/** Digits after the point. Smaller parts of a value are beyond what a number on a scrape page can show. */
const MAX_SCALE = 100;
/** A text that PostgreSQL or JavaScript writes for a finite number. */
const DECIMAL = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?\s*$/i;

/** The exact sum of two decimal numbers: adding fractions as floating-point numbers would lose cents. */
export function addDecimals(a: string, b: string): string {
  const [left, right] = [scaled(a), scaled(b)];
  const scale = Math.max(left.scale, right.scale);
  return written(raised(left, scale) + raised(right, scale), scale);
}

interface Scaled {
  readonly units: bigint;
  /** A unit is 10^-scale. */
  readonly scale: number;
}

function scaled(text: string): Scaled {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  const shift = fraction.length - Number(exponent);
  const digits = BigInt(`${whole}${fraction}` || '0');
  const size = shift >= 0 ? { units: digits, scale: shift } : { units: digits * 10n ** BigInt(-shift), scale: 0 };
  const { units, scale } = size.scale > MAX_SCALE ? cut(size) : size;
  return { units: sign === '-' ? -units : units, scale };
}

function cut({ units, scale }: Scaled): Scaled {
  return { units: units / 10n ** BigInt(scale - MAX_SCALE), scale: MAX_SCALE };
}

function raised({ units, scale }: Scaled, to: number): bigint {
  return units * 10n ** BigInt(to - scale);
}

function written(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? '-' : ''}${whole}${scale === 0 || fraction === '' ? '' : `.${fraction}`}`;
}
