/**
 * The conditions of Sentry's detector of N+1 queries, from getsentry/sentry, n_plus_one_db_span_detector.py. It goes through the
 * spans in their order: after a first query, its source, the same query follows again and again below one parent.
 */
import type { SentTransaction } from '../../../examples/sentry-sink/payloads.ts';

type Spans = SentTransaction['spans'];
type SentSpan = Spans[number];

/** Sentry's defaults: the number of repetitions, and the time that they take together. */
const [MIN_REPEATED, MIN_TOGETHER_SECONDS] = [5, 0.05];

/** The repeated queries that Sentry reports; empty if it reports none. */
export function repeatedQueries({ contexts, spans }: Pick<SentTransaction, 'contexts' | 'spans'>): Spans {
  /** The root, and the spans so far that are not of a database. */
  const others = new Set([contexts.trace.span_id]);
  let source: SentSpan | undefined;
  let row: SentSpan[] = [];
  for (const span of spans) {
    if (isQuery(span) && source !== undefined && continues(row, span, source)) {
      row.push(span);
      continue;
    }
    if (isReported(row)) return row;
    row = [];
    if (!isQuery(span)) {
      source = undefined;
      others.add(span.span_id);
    } else source = others.has(span.parent_span_id ?? '') ? span : undefined;
  }
  return isReported(row) ? row : [];
}

function isQuery({ op = '' }: SentSpan): boolean {
  return op.startsWith('db') && !op.startsWith('db.redis') && !op.startsWith('db.connection');
}

/** Sentry compares hashes of descriptions, and the descriptions themselves. */
function continues([first]: readonly SentSpan[], span: SentSpan, source: SentSpan): boolean {
  if (first === undefined) return span.description !== source.description && isComplete(span);
  return span.description === first.description && span.parent_span_id === first.parent_span_id;
}

function isComplete({ description = '' }: SentSpan): boolean {
  return description !== '' && !description.endsWith('...');
}

function isReported(row: readonly SentSpan[]): boolean {
  const seconds = row.reduce((sum, { start_timestamp: start, timestamp: end }) => sum + end - start, 0);
  const isConnection = row[0]?.description === 'pg-pool.connect';
  return row.length >= MIN_REPEATED && seconds >= MIN_TOGETHER_SECONDS && !isConnection;
}
