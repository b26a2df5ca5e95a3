/** Checks envelopes against each other: what Sentry accepts one by one, and shows as a broken trace. */
import type { SentError, SentSpanItem, SentTransaction } from './payloads.ts';

const MAX_SPANS = 1000;

export interface SentItems {
  readonly transactions: readonly SentTransaction[];
  readonly spans: readonly SentSpanItem[];
  readonly errors: readonly SentError[];
}

/** Every contradiction within the traces. Items that are still on their way do not count. */
export function checkTraces(items: SentItems): string[] {
  return [...checkNames(items), ...checkRepeatedRoots(items), ...checkScatteredSiblings(items)];
}

/** The contradictions between a new payload and those of its trace. Which siblings are scattered depends on when they came. */
export function checkAgainst(known: SentItems, added: SentItems): string[] {
  const traces = new Set([
    ...added.transactions.map(({ contexts }) => contexts.trace.trace_id),
    ...added.spans.map(({ trace_id }) => trace_id),
    ...added.errors.map(({ contexts }) => contexts?.trace?.trace_id),
  ]);
  const all = {
    transactions: [...known.transactions.filter(({ contexts }) => traces.has(contexts.trace.trace_id)), ...added.transactions], // prettier-ignore
    spans: [...known.spans.filter(({ trace_id }) => traces.has(trace_id)), ...added.spans],
    errors: [...known.errors.filter(({ contexts }) => traces.has(contexts?.trace?.trace_id)), ...added.errors],
  };
  return [...checkNames(all), ...checkRepeatedRoots(all)];
}

/** The transaction of an error is the one that has its span. It is absent if the root of that had not arrived. */
function checkNames({ transactions, spans, errors }: SentItems): string[] {
  const names = new Map<string, string>();
  for (const { transaction, contexts, spans: children } of transactions)
    for (const span of [contexts.trace, ...children]) names.set(keyOf(span), transaction);
  for (const span of spans) {
    const name = span.attributes['sentry.segment.name']?.value;
    if (typeof name === 'string') names.set(keyOf(span), name);
  }
  return errors.flatMap(({ transaction, contexts }) => {
    const name = contexts?.trace === undefined ? undefined : names.get(keyOf(contexts.trace));
    if (name === undefined || transaction === undefined || transaction === name) return [];
    return [`an error has the transaction ${transaction}, and its span is in ${name}`];
  });
}

function checkRepeatedRoots({ transactions }: SentItems): string[] {
  const byRoot = Map.groupBy(transactions, ({ contexts }) => keyOf(contexts.trace));
  return (
    [...byRoot]
      // The same event again is a repetition, which Sentry drops.
      .filter(([, same]) => new Set(same.map(({ event_id }) => event_id)).size > 1)
      .map(([root]) => `several transactions have the root ${root}`)
  );
}

/** Spans below one missing parent fit into one transaction, unless some of them came later. */
function checkScatteredSiblings({ transactions }: SentItems): string[] {
  const orphans = transactions.filter(({ contexts: { trace } }) => {
    const { 'otel.kind': kind, 'sentry.parent_span_already_sent': isLate } = trace.data ?? {};
    return trace.parent_span_id !== undefined && kind === 'INTERNAL' && isLate !== true;
  });
  const byParent = Map.groupBy(orphans, ({ tags, contexts: { trace } }) =>
    [trace.trace_id, trace.parent_span_id, tags?.['service.name']].join(' '),
  );
  return [...byParent]
    .filter(([, siblings]) => siblings.length > 1 && spanCount(siblings) <= MAX_SPANS)
    .map(([parent, { length }]) => `${length} transactions instead of one are below the missing span ${parent}`);
}

function spanCount(transactions: readonly SentTransaction[]): number {
  return transactions.reduce((sum, { spans }) => sum + spans.length + 1, 0);
}

function keyOf({ trace_id, span_id }: { readonly trace_id: string; readonly span_id: string }): string {
  return `${trace_id} ${span_id}`;
}
