import type { ErrorGroup } from '../../engine/stored-telemetry.ts';
import { clockText, oneLine } from '../store-text.ts';

/** The groups of errors, each with its stack and its newest traces. */
export function errorsText(errors: readonly ErrorGroup[]): string {
  return errors.map(groupText).join('\n\n');
}

function groupText({ service, type, message, count, stack, traces, ...times }: ErrorGroup): string {
  const seen = `first ${clockText(times.firstTimeUnixNano)}, last ${clockText(times.lastTimeUnixNano)}`;
  const lines = stack.split('\n').filter((line) => line.trim() !== '');
  return [
    oneLine(`${count}×  ${service}  ${type || 'Error'}: ${message}  (${seen})`),
    ...lines.map((line) => `    ${oneLine(line.trim())}`),
    ...(traces.length > 0 ? [`    traces ${traces.join(' ')}`] : []),
  ].join('\n');
}
