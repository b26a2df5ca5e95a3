/** Describes failed statements of pg as those of the other clients are described. */
import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import { isSqlState } from './clients/database-call.ts';
import { addSpanProcessor } from './span-processors.ts';

const PG = '@opentelemetry/instrumentation-pg';

/** The end of the message that the instrumentation makes up. */
const CODE = /\(code: (?!UNKNOWN)(\w{1,50})\)$/;

interface EndingSpan {
  readonly instrumentationScope: { readonly name: string };
  readonly attributes: Attributes;
  readonly events: { readonly name: string; readonly attributes?: Attributes }[];
  readonly status: { readonly code: SpanStatusCode; message?: string };
}

/**
 * Replaces the exception of a statement or connection by `error.type` and `db.response.status_code`. The exception is
 * recorded where nothing catches it, for example on the span of the request, so that one error is one. The text of the
 * status would quote values.
 */
export function describePgFailures(): void {
  addSpanProcessor({ onEnding: describe });
}

function describe({ instrumentationScope, attributes, events, status }: EndingSpan): void {
  if (instrumentationScope.name !== PG || status.code !== SpanStatusCode.ERROR) return;
  const exception = events.findIndex(({ name }) => name === 'exception');
  const text = events[exception]?.attributes?.['exception.message'];
  if (exception >= 0) events.splice(exception, 1);
  const kind = CODE.exec(typeof text === 'string' ? text : '')?.[1] ?? 'Error';
  attributes['error.type'] = kind;
  if (isSqlState(kind)) attributes['db.response.status_code'] = kind;
  status.message = kind;
}
