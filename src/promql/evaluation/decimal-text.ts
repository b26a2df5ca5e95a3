/** The shortest digits that give the number back, without an exponent, as Go writes it. */
export function decimalText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Math.abs(value) === Infinity) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(
    String(value),
  ) as unknown as [string, string, string, string?, string?];
  if (exponent === undefined) return String(value);
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, '0');
}
