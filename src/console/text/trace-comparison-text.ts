import { counted, durationText, fitted, oneLine, signedText, timeText } from '../store-text.ts';
import { remarkOn, type ComparedOperation, type ComparedTrace, type TraceComparison } from '../trace-comparison.ts';

/** Two traces as lines for a terminal. */
export function traceComparisonText(
  { first, second, operations, errors }: TraceComparison,
  { columns = Infinity }: { readonly columns?: number } = {},
): string {
  const lines = [
    sideText('First ', first),
    sideText('Second', second),
    `Second - first: ${signedText(second.durationMs - first.durationMs)}`,
    '',
    'OWN TIME: FIRST     SECOND  DIFFERENCE    SPANS  OPERATION',
    ...operations.map(operationText),
    ...(errors.length === 0 ? [] : ['', 'ERRORS']),
    ...errors.map((error) => oneLine(`${`${error.first} → ${error.second}`.padStart(9)}  ${error.text}`)),
  ];
  return lines.map((line) => fitted(line, columns)).join('\n');
}

function sideText(title: string, side: ComparedTrace): string {
  const { traceId, service, name, startTimeUnixNano, durationMs, spanCount, leftSpans, failedSpans, errors } = side;
  const counts = [
    counted(spanCount, 'span'),
    `${failedSpans} failed`,
    counted(errors, 'error'),
    ...(leftSpans > 0 ? [`${leftSpans} not compared`] : []),
  ].join(', ');
  return oneLine(
    `${title}  ${traceId}  ${timeText(startTimeUnixNano)}  ${durationText(durationMs)}  ${counts}  ${service} ${name}`,
  );
}

function operationText(operation: ComparedOperation): string {
  const { service, name, kind, first, second, differenceMs } = operation;
  const remark = remarkOn(operation);
  const cells = [
    (first === undefined ? '-' : durationText(first.selfMs)).padStart(15),
    (second === undefined ? '-' : durationText(second.selfMs)).padStart(9),
    signedText(differenceMs).padStart(10),
    `${first?.count ?? 0} → ${second?.count ?? 0}`.padStart(7),
  ];
  return oneLine(`${cells.join('  ')}  ${service} ${name} (${kind})${remark === '' ? '' : `: ${remark}`}`);
}
