import type { TraceSummary } from '../../engine/stored-telemetry.ts';
import { clockText, durationText, fitted, oneLine } from '../store-text.ts';

/** Digits of an id that distinguish the traces of a store. */
const ID_DIGITS = 16;

/** One line for each trace. @param withHeader false for lines that continue a list. */
export function tracesText(
  found: readonly TraceSummary[],
  { columns = Infinity, withHeader = true }: { readonly columns?: number; readonly withHeader?: boolean } = {},
): string {
  const header = `${'TRACE'.padEnd(ID_DIGITS)}  START     DURATION  SPANS  FAILED  SERVICE  NAME`;
  const lines = found.map(({ traceId, startTimeUnixNano, durationMs, spans, failedSpans, service, name, hasRoot }) =>
    [
      traceId.slice(0, ID_DIGITS),
      clockText(startTimeUnixNano).padEnd(8),
      durationText(durationMs).padStart(8),
      String(spans).padStart(5),
      String(failedSpans).padStart(6),
      `${oneLine(service)}  ${hasRoot ? '' : '… '}${oneLine(name)}`,
    ].join('  '),
  );
  return [...(withHeader ? [header] : []), ...lines].map((line) => fitted(line, columns)).join('\n');
}
