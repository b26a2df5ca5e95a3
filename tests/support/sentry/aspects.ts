/** Describes what a client of Sentry has sent about the service `orders.mjs`, as one text for each aspect. */
import type { SentError, SentTransaction } from '../../../examples/sentry-sink/payloads.ts';
import type { EnvelopeCapture } from './envelope-capture.ts';
import { repeatedQueries } from './repeated-queries.ts';
import { browser } from './run-orders.ts';

/** The texts by the name of the aspect. They do not depend on ports, ids and times. */
export type Aspects = Readonly<Record<string, string>>;

type Transaction = SentTransaction & Readonly<Record<string, unknown>>;
type ErrorEvent = SentError & Readonly<Record<string, unknown>>;

/** @param unsampled the same requests to a service that samples no trace. */
export function aspectsOf(sampled: EnvelopeCapture, unsampled: EnvelopeCapture): Aspects {
  const transactions = sampled.payloads('transaction') as unknown as Transaction[];
  return {
    'a request to the API': transportOf(sampled),
    ...aspectsOfTraces(transactions),
    'secrets in addresses': JSON.stringify(sampled.envelopes).includes('s3cret') ? 'sent' : 'not sent',
    ...aspectsOfErrors((sampled.payloads('event') as unknown as ErrorEvent[]).toSorted(byTransaction)),
    'sampling context': keysOf(
      traceHeaderOf(sampled, transactionOf('GET /users/:id', transactions)?.contexts.trace.trace_id),
    ),
    'a trace that a browser began': describeBrowser(sampled),
    'a path that does not exist': describeMissing(sampled, transactions),
    'errors of unsampled traces': String(unsampled.payloads('event').length),
    sessions: sampled.payloads('sessions').length > 0 ? 'sent' : 'not sent',
  };
}

function aspectsOfTraces(transactions: readonly Transaction[]): Aspects {
  const user = transactionOf('GET /users/:id', transactions);
  const { data, op, origin, status } = user?.contexts.trace ?? {};
  const requests = transactions.filter(isRequest);
  const outgoing = transactionOf('GET /search', transactions)?.spans.find((span) => span.op === 'http.client');
  return {
    names: listed(requests.map(({ transaction, transaction_info: info }) => `${transaction} (${info?.source})`)),
    'transactions for a request that works on after its response': String(traceOf('GET /late', transactions)),
    'op, origin and status of a request': `${op}, ${origin}, ${status}`,
    'data of a request': keysOf(data),
    'contexts of a request': keysOf(user?.contexts),
    'fields of a transaction': keysOf(user),
    'description of a query': queriesOf(user)[0] ?? '',
    'repeated queries are recognised': hasRepeatedQueries(transactionOf('GET /orders/:id/items', transactions))
      ? 'yes'
      : 'no',
    'description of an outgoing request': withoutPorts(outgoing?.description ?? ''),
  };
}

function aspectsOfErrors(errors: readonly ErrorEvent[]): Aspects {
  const failed = errors.find(({ transaction }) => transaction === 'GET /fail');
  const frame = failed?.exception.values.at(-1)?.stacktrace?.frames.at(-1);
  return {
    errors: listed(errors.map(describeError)),
    'cause of an error': describeCause(failed),
    'fields of an error': keysOf(failed),
    'fields of a frame': keysOf(frame),
    'frames of the service': frame?.in_app === true ? 'marked' : 'not marked',
  };
}

function transactionOf(name: string, transactions: readonly Transaction[]): Transaction | undefined {
  return transactions.find(({ transaction }) => transaction === name);
}

/** Requests to the service itself. */
function isRequest({ contexts, transaction }: Transaction): boolean {
  return contexts.trace.op === 'http.server' && transaction !== 'GET /stock';
}

function byTransaction(a: ErrorEvent, b: ErrorEvent): number {
  return (a.transaction ?? '').localeCompare(b.transaction ?? '');
}

function transportOf({ envelopes }: EnvelopeCapture): string {
  const isInHeader = envelopes.every(({ headers }) => headers['x-sentry-auth'] !== undefined);
  const encodings = new Set(envelopes.map(({ headers }) => headers['content-encoding'] ?? 'identity'));
  return `key in the ${isInHeader ? 'header X-Sentry-Auth' : 'query'}, ${[...encodings].toSorted().join(' and ')}`;
}

function traceOf(name: string, transactions: readonly Transaction[]): number {
  const id = transactions.find(({ transaction }) => transaction === name)?.contexts.trace.trace_id;
  return transactions.filter(({ contexts }) => contexts.trace.trace_id === id).length;
}

function queriesOf(transaction: Transaction | undefined): string[] {
  return (transaction?.spans ?? []).flatMap(({ op, description = '' }) =>
    op === 'db' && description.startsWith('SELECT') ? [description] : [],
  );
}

function hasRepeatedQueries(transaction: Transaction | undefined): boolean {
  return transaction !== undefined && repeatedQueries(transaction).length > 0;
}

function describeError({ transaction, level, exception }: ErrorEvent): string {
  const last = exception.values.at(-1);
  const handled = last?.mechanism?.['handled'];
  const isHandled = handled === undefined ? '' : handled === true ? ', handled' : ', not handled';
  return `${transaction}: ${last?.type}: ${last?.value} (${level}${isHandled})`;
}

function describeCause(error: ErrorEvent | undefined): string {
  const [cause, ...others] = error?.exception.values ?? [];
  if (cause === undefined || others.length === 0) return 'none';
  return `${cause.type}: ${cause.value} (${String(cause.mechanism?.['type'])}, ${(cause.stacktrace?.frames.length ?? 0) > 0 ? 'with' : 'without'} frames)`;
}

function traceHeaderOf({ envelopes }: EnvelopeCapture, traceId: string | undefined): unknown {
  const headers = envelopes.map(({ header }) => header['trace'] as Readonly<Record<string, string>> | undefined);
  return headers.find((header) => header?.['trace_id'] === traceId);
}

function describeBrowser(capture: EnvelopeCapture): string {
  const header = traceHeaderOf(capture, browser.traceId) as Readonly<Record<string, string>> | undefined;
  if (header === undefined) return 'a new trace';
  const given = browser.context
    .split(',')
    .map((member) => member.replace('sentry-', '').split('=') as [string, string]);
  return given.every(([name, value]) => header[name] === value) ? 'continued, with its sampling context' : 'continued';
}

function describeMissing(capture: EnvelopeCapture, transactions: readonly Transaction[]): string {
  const sent = transactions.find(({ transaction }) => transaction === 'GET /missing');
  if (sent !== undefined) return `sent as ${sent.contexts.trace.status}`;
  const reports = capture
    .payloads('client_report')
    .flatMap((report) => report['discarded_events'] as { reason: string }[]);
  return `dropped, reported as ${[...new Set(reports.map(({ reason }) => reason))].toSorted().join(', ')}`;
}

function keysOf(value: unknown): string {
  return listed(Object.keys(Object(value) as object));
}

function listed(texts: readonly string[]): string {
  return [...new Set(texts)].toSorted().join(', ');
}

function withoutPorts(text: string): string {
  return text.replaceAll(/(127\.0\.0\.1):\d+/g, '$1:PORT');
}
