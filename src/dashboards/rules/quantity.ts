/** Numbers in the texts of alerts, by their unit (UCUM). */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The value of an alert, as a template that Prometheus fills in. */
export function valueTemplate(unit: string): string {
  if (unit === '1' || unit === '{fraction}') return '{{ $value | humanizePercentage }}';
  if (unit === 's') return '{{ $value | humanizeDuration }}';
  if (unit === 'By') return '{{ $value | humanize1024 }}B';
  if (unit === '%') return '{{ $value | printf "%.1f" }}%';
  return '{{ $value | printf "%.0f" }}';
}

/** A limit, as a person writes it. */
export function written(value: number, unit: string): string {
  if (unit === '1' || unit === '{fraction}') return `${rounded(value * 100)}%`;
  if (unit === '%') return `${value}%`;
  if (unit === 'By') return writtenBytes(value);
  if (unit !== 's') return String(value);
  if (value >= DAY && value % DAY === 0) return `${value / DAY}d`;
  if (value >= HOUR && value % HOUR === 0) return `${value / HOUR}h`;
  return value >= MINUTE && value % MINUTE === 0 ? `${value / MINUTE}m` : `${value}s`;
}

function writtenBytes(value: number): string {
  const power = Math.max(0, Math.min(BINARY_PREFIXES.length - 1, Math.floor(Math.log2(value) / 10)));
  return `${rounded(value / 1024 ** power)}${BINARY_PREFIXES[power]}B`;
}

/** Prometheus writes the same ones. */
const BINARY_PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti'] as const;

function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
