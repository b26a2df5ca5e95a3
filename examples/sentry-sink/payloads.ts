/** Types of the parts of Sentry's payloads that the sink has checked. https://develop.sentry.dev/sdk/data-model/event-payloads/ */

export interface SentTransaction {
  readonly type: 'transaction';
  readonly event_id: string;
  readonly transaction: string;
  readonly transaction_info?: { readonly source: string };
  readonly start_timestamp: number;
  readonly timestamp: number;
  readonly environment?: string;
  readonly release?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly contexts: { readonly trace: SentTraceContext; readonly [name: string]: unknown };
  readonly spans: readonly SentSpan[];
}

export interface SentTraceContext {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly op: string;
  readonly status: string;
  readonly origin?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface SentSpan {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly op?: string;
  readonly description?: string;
  readonly status?: string;
  readonly start_timestamp: number;
  readonly timestamp: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A span of the span protocol, with the header of the envelope that it came in. */
export interface SentSpanItem {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly name: string;
  readonly status: 'ok' | 'error';
  readonly is_segment: boolean;
  readonly start_timestamp: number;
  readonly end_timestamp: number;
  readonly links?: readonly Readonly<Record<string, unknown>>[];
  readonly attributes: Readonly<Record<string, { readonly type: string; readonly value: unknown }>>;
}

/** The sampling context of a trace. */
export type SentTrace = Readonly<Record<string, string>>;

export interface SentError {
  readonly logentry?: { readonly formatted: string };
  readonly tags?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly release?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly breadcrumbs?: { readonly values: readonly Readonly<Record<string, unknown>>[] };
  readonly event_id: string;
  readonly timestamp: number;
  readonly level: string;
  readonly transaction?: string;
  readonly exception: { readonly values: readonly SentException[] };
  readonly contexts?: {
    /** Absent for an error outside a trace. */
    readonly trace?: Pick<SentTraceContext, 'trace_id' | 'span_id'>;
    readonly [name: string]: unknown;
  };
}

export interface SentException {
  readonly type: string;
  readonly value: string;
  readonly mechanism?: Readonly<Record<string, unknown>>;
  readonly stacktrace?: { readonly frames: readonly SentFrame[] };
}

export interface SentFrame {
  readonly filename?: string;
  readonly function?: string;
  readonly lineno?: number;
  readonly colno?: number;
  readonly in_app?: boolean;
  readonly context_line?: string;
}

export interface Discard {
  readonly reason: string;
  readonly category: string;
  readonly quantity: number;
}
