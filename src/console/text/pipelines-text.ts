import {
  droppedText,
  numberText,
  type AccountState,
  type NamedNumber,
  type PipelinesState,
  type PipelineState,
} from '../pipelines-state.ts';
import { tableText } from './table-text.ts';
import { oneLine } from '../store-text.ts';
import { textOf } from '../unit-text.ts';

/** The pipelines as lines for a terminal, and the fate of all items. */
export function pipelinesText(state: PipelinesState): string {
  const { version, status, uptimeSeconds, extensions, degraded, missing, pipelines, ledger } = state;
  return [
    `siphon ${version} is ${status}, up ${textOf(uptimeSeconds, 's')}`,
    `extensions: ${extensions.length === 0 ? 'none' : extensions.join(', ')}`,
    ...[...degraded, ...missing].map(oneLine),
    ...pipelines.flatMap((pipeline) => ['', ...pipelineLines(pipeline)]),
    ...(ledger.length === 0 ? [] : ['', ...ledgerLines(ledger)]),
  ].join('\n');
}

function pipelineLines({ id, stages, edges }: PipelineState): readonly string[] {
  const lines = stages.flatMap((stage, index) => [
    ...(index === 0 ? [] : [`  → ${numbersText(edges[index - 1] ?? [])}   /tap?pipeline=${id}&edge=${index - 1}`]),
    ...stage.map(({ kind, id: name, numbers }) => `  ${name} (${kind})  ${numbersText(numbers)}`.trimEnd()),
  ]);
  return [id, ...lines];
}

function numbersText(numbers: readonly NamedNumber[]): string {
  return numbers.map(numberText).join(', ');
}

function ledgerLines(ledger: readonly AccountState[]): readonly string[] {
  const header = ['LEDGER', 'SIGNAL', 'ACCEPTED', 'DELIVERED', 'WAITING', 'DROPPED', 'REMAINDER'];
  const rows = ledger.map(({ account, signal, accepted, delivered, waiting, dropped, difference }) => [
    account,
    signal,
    ...[accepted, delivered, waiting].map(String),
    droppedText(dropped),
    String(difference),
  ]);
  return tableText([header, ...rows], 2);
}
