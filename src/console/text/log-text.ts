import type { LogRecord } from '../../engine/stored-telemetry.ts';
import { linesOf, oneLine, severityName, timeText, valueText } from '../store-text.ts';
import { errorOf, errorText } from '../trace-errors.ts';

/** A log record as a line. A line break of the body is one here, too; further lines are indented. */
export function logText(log: LogRecord): string {
  const { timeUnixNano, service, body, traceId, attributes, spanId } = log;
  const [first = '', ...rest] = linesOf(valueText(body));
  const pairs = Object.entries(attributes)
    .filter(([name]) => !name.startsWith('exception.'))
    .map(([name, value]) => `${name}=${valueText(value)}`);
  const trace = traceId === undefined ? [] : [`trace=${traceId}`];
  const text = [timeText(timeUnixNano), severityName(log).padEnd(5), oneLine(service), first].join(' ');
  const error = errorOf(spanId, attributes);
  const below = [...rest, ...(error === undefined ? [] : [errorText(error), error.place])].filter(
    (line) => line !== '',
  );
  return [[text, ...[...pairs, ...trace].map(oneLine)].join('  '), ...below.map((line) => `    ${line}`)].join('\n');
}
