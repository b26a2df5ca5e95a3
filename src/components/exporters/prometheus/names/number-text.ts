/** A number as on the stock page, which uses Go's `strconv.FormatFloat(value, 'g', -1, 64)`; -0 is 0 there. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  if (Number.isSafeInteger(value)) return wholeText(value);
  if (Number.isFinite(value)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** OpenMetrics distinguishes numbers from integers: `7.0`. */
export function openMetricsNumber(value: number): string {
  const text = numberText(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Exponential text without a search for the shortest digits, because counters above a million are common. */
function wholeText(value: number): string {
  const digits = String(Math.abs(value));
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  const exponent = digits.length - 1;
  const fraction = end > 1 ? `.${digits.slice(1, end)}` : '';
  return `${value < 0 ? '-' : ''}${digits.charAt(0)}${fraction}e+${exponent < 10 ? '0' : ''}${exponent}`;
}
