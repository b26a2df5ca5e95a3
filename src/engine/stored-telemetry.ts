/** The answers of the `telemetry_store`. Times are nanoseconds since 1970, as text. */

/** How a list ends. */
export interface ListEnd {
  /** True if others fit too, which the limit left out. */
  readonly more: boolean;
  /** Why the list is empty. */
  readonly hint?: string;
}

export interface Attributes {
  readonly [name: string]: unknown;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: string;
  readonly service: string;
  readonly startTimeUnixNano: string;
  readonly durationMs: number;
  readonly status: { readonly code: string; readonly message?: string };
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string; readonly attributes: Attributes }[];
  readonly resource: Attributes;
}

export interface LogRecord {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly service: string;
  readonly body: unknown;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes: Attributes;
}

export interface Trace {
  readonly traceId: string;
  readonly spanCount: number;
  readonly logCount: number;
  readonly spans: readonly Span[];
  readonly logs: readonly LogRecord[];
  /** The longest first. */
  readonly lockWaits: readonly LockWait[];
}

/** A statement that waited for a lock of another session. */
export interface LockWait {
  readonly spanId: string;
  /** The kind of lock: `transactionid`, `tuple`, `relation`, `advisory` … */
  readonly lock: string;
  /** Until it was last seen waiting. */
  readonly waitedMs: number;
  /** Until it was seen not to wait any more, or had ended. */
  readonly waitedAtMostMs: number;
  readonly blocker: Blocker;
}

/** A wait of any session, also where its statement is not in the store. */
export interface SeenLockWait extends Pick<LockWait, 'lock' | 'waitedMs' | 'blocker'> {
  /** Identifies the wait for this blocker. */
  readonly id: string;
  readonly sinceTimeUnixNano: string;
  /** When it was last seen. */
  readonly seenTimeUnixNano: string;
  /** Absent as long as its end has not been seen. */
  readonly waitedAtMostMs?: number;
  readonly waiter: {
    readonly pid: number;
    readonly application?: string;
    /** Without values. */
    readonly query?: string;
    /** Absent if the store does not have it. */
    readonly statement?: {
      readonly traceId: string;
      readonly spanId: string;
      readonly service: string;
      /** The name of the root of the trace. */
      readonly name?: string;
    };
  };
}

/** The session that held the lock, or was before the waiting one in the queue. */
export interface Blocker {
  /** Absent for a prepared transaction. */
  readonly pid?: number;
  readonly application?: string;
  /** `idle in transaction`, `active` … */
  readonly state?: string;
  /** `client backend`, `autovacuum worker` … */
  readonly type?: string;
  /** Its current or last statement, without values. */
  readonly query?: string;
  /** The name of the prepared transaction, if the wait shows it. */
  readonly prepared?: string;
  /** Absent if the store does not have it. */
  readonly transaction?: BlockingTransaction;
  /** The sessions that the blocker itself waited for. */
  readonly waitsFor?: readonly Blocker[];
}

export interface BlockingTransaction {
  /** The trace and the span of its first statement. */
  readonly traceId: string;
  readonly spanId: string;
  readonly service: string;
  /** The name of the root of the trace. */
  readonly name?: string;
  /** The last one while the other session waited. */
  readonly lastStatement: {
    readonly traceId: string;
    readonly spanId: string;
    readonly name: string;
    readonly text: string;
  };
}

export interface TraceSummary {
  readonly traceId: string;
  readonly name: string;
  readonly service: string;
  readonly startTimeUnixNano: string;
  readonly hasRoot: boolean;
  readonly durationMs: number;
  readonly spans: number;
  /** Spans with the status error. Their exceptions are counted elsewhere: one may pass through several spans. */
  readonly failedSpans: number;
  readonly logs: number;
}

/** Exceptions with the same service, type and place. */
export interface ErrorGroup {
  readonly service: string;
  readonly type: string;
  /** The message of the newest exception. */
  readonly message: string;
  readonly count: number;
  readonly firstTimeUnixNano: string;
  readonly lastTimeUnixNano: string;
  /** How many there were in each part of the time between the first and the last of all groups. */
  readonly counts: readonly number[];
  /** The stack of the newest exception; empty if it has none. */
  readonly stack: string;
  /** The newest first. */
  readonly traces: readonly string[];
}

export interface ErrorGroups {
  /** The newest first. */
  readonly errors: readonly ErrorGroup[];
  /** How many more there are. */
  readonly left: number;
  /** Why there may be none: a name that the store does not have. */
  readonly hint?: string;
}

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  readonly timeUnixNano: string;
  /** Absent if it is not in the store. */
  readonly span?: Span;
}

/** The properties that selected traces have in common, and the traces around them do not. */
export interface ComparedTraces {
  /** `share`: parts of the traces of a group. `rise`: parts of the traces with the property. */
  readonly compares: 'share' | 'rise';
  readonly selectedTraces: number;
  readonly aroundTraces: number;
  /** How many properties occur often enough to compare. */
  readonly tested: number;
  /** Properties that were not counted, because there are too many. */
  readonly uncounted: number;
  /** The largest difference first. */
  readonly differences: readonly ComparedProperty[];
  /** How many more differences there are. */
  readonly left: number;
  /** Why nothing was compared: the store does not have a name, or nothing to compare with. */
  readonly hint?: string;
}

export interface ComparedProperty {
  /** The name of an attribute; absent for the name of a span. */
  readonly attribute?: string;
  readonly value: string;
  readonly selected: ComparedShare;
  readonly around: ComparedShare;
  /** From 0 to 1, with the bounds that contain it with 95 % confidence. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

export interface ComparedShare {
  readonly count: number;
  readonly of: number;
}
