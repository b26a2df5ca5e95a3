/** The functions of Prometheus that write numbers for people. */
import { generalText } from './go-number.ts';

const DIGITS = 4;
const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return generalText(value, DIGITS);
  return Math.abs(value) >= 1 ? divided(value, 1000, LARGE) : multiplied(value);
}

export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return generalText(value, DIGITS);
  return divided(value, 1024, BINARY);
}

export function humanizePercentage(value: number): string {
  return `${generalText(value * 100, DIGITS)}%`;
}

export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return generalText(seconds, DIGITS);
  const size = Math.abs(seconds);
  if (size === 0) return `${generalText(seconds, DIGITS)}s`;
  if (size < 1) return `${multiplied(seconds)}s`;
  const sign = seconds < 0 ? '-' : '';
  if (size < 60) return `${sign}${generalText(size, DIGITS)}s`;
  const whole = BigInt(Math.trunc(size));
  const [days, hours, minutes] = [whole / 86_400n, (whole / 3600n) % 24n, (whole / 60n) % 60n];
  const parts = [`${days}d`, `${hours}h`, `${minutes}m`, `${whole % 60n}s`];
  const first = days > 0n ? 0 : hours > 0n ? 1 : 2;
  return sign + parts.slice(first).join(' ');
}

function divided(value: number, by: number, prefixes: readonly string[]): string {
  let rest = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(rest) < by) break;
    prefix = next;
    rest /= by;
  }
  return generalText(rest, DIGITS) + prefix;
}

function multiplied(value: number): string {
  let rest = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(rest) >= 1) break;
    prefix = next;
    rest *= 1000;
  }
  return generalText(rest, DIGITS) + prefix;
}
