import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { messageToObject } from '../../../src/engine/otlp/message-to-object.ts';

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface CapturedSpan {
  readonly name: string;
  readonly kind: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly start_time_unix_nano: string;
  readonly status?: { readonly code?: string; readonly message?: string };
  readonly attributes?: readonly KeyValue[];
  readonly links?: readonly { readonly span_id?: string }[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly KeyValue[] }[];
}

export interface CapturedExemplar {
  readonly trace_id: string;
  readonly span_id: string;
  readonly as_double: number;
  readonly time_unix_nano: string;
}

export interface CapturedMetric {
  readonly name: string;
  readonly unit?: string;
  readonly histogram?: {
    readonly data_points: readonly {
      readonly attributes?: readonly KeyValue[];
      readonly count: number | string;
      readonly explicit_bounds: readonly number[];
      readonly exemplars?: readonly CapturedExemplar[];
    }[];
  };
  readonly sum?: {
    readonly data_points: readonly {
      readonly attributes?: readonly KeyValue[];
      readonly exemplars?: readonly CapturedExemplar[];
    }[];
  };
  readonly gauge?: {
    readonly data_points: readonly {
      readonly attributes?: readonly KeyValue[];
      readonly as_int?: number | string;
      readonly as_double?: number;
      /** 1: it has no value from then on. */
      readonly flags?: number;
    }[];
  };
}

export interface CapturedRecord {
  readonly trace_id: string;
  readonly span_id: string;
  readonly severity_number: string;
  readonly severity_text?: string;
  readonly body?: { readonly string_value?: string };
  readonly attributes?: readonly KeyValue[];
}

const MESSAGES: Readonly<Record<string, string>> = {
  '/v1/traces': 'ExportTraceServiceRequest',
  '/v1/logs': 'ExportLogsServiceRequest',
};

interface Request {
  readonly resource_logs?: readonly Resource<{ log_records: readonly CapturedRecord[] }, 'scope_logs'>[];
  readonly resource_spans?: readonly Resource<{ spans: readonly CapturedSpan[] }, 'scope_spans'>[];
  readonly resource_metrics?: readonly Resource<{ metrics: readonly CapturedMetric[] }, 'scope_metrics'>[];
}
type Resource<Scope, Key extends string> = { readonly resource: { readonly attributes: readonly KeyValue[] } } & {
  readonly [K in Key]: readonly Scope[];
};

/** An OTLP/HTTP endpoint that keeps what it gets in protobuf, decoded; with `answers: false` a black hole that accepts and hangs,
 * with `answersAfterMs` a slow one. Keeps nothing of a request that is cut off. */
export class OtlpCapture implements AsyncDisposable {
  readonly #server = createServer();
  readonly #requests: Request[] = [];
  /** How many requests came, answered or not. */
  requestCount = 0;

  static async start({
    answers = true,
    answersAfterMs = 0,
  }: { answers?: boolean; answersAfterMs?: number } = {}): Promise<OtlpCapture> {
    const capture = new OtlpCapture();
    capture.#server.on('request', (request, response) => {
      capture.requestCount++;
      if (!answers) return;
      void capture.#keep(request).then(
        () => setTimeout(() => response.end(), answersAfterMs),
        () => response.destroy(),
      );
    });
    capture.#server.listen(0, '127.0.0.1');
    await once(capture.#server, 'listening');
    return capture;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  spans(): CapturedSpan[] {
    return this.#requests.flatMap(({ resource_spans: resources = [] }) =>
      resources.flatMap(({ scope_spans: scopes }) => scopes.flatMap(({ spans }) => spans)),
    );
  }

  records(): CapturedRecord[] {
    return this.#requests.flatMap(({ resource_logs: resources = [] }) =>
      resources.flatMap(({ scope_logs: scopes }) => scopes.flatMap(({ log_records: records }) => records)),
    );
  }

  metrics(): CapturedMetric[] {
    return this.#requests.flatMap(({ resource_metrics: resources = [] }) =>
      resources.flatMap(({ scope_metrics: scopes }) => scopes.flatMap(({ metrics }) => metrics)),
    );
  }

  /** The attributes of the points of a histogram, latest export last; values as text. */
  histogramAttributes(name: string): Record<string, string>[] {
    return this.metrics()
      .filter((metric) => metric.name === name)
      .flatMap(({ histogram }) => histogram?.data_points ?? [])
      .map(({ attributes }) => plainAttributes(attributes));
  }

  /** Every value of the gauges whose name begins so: `name{values of the attributes} value`. */
  gauges(prefix: string): string[] {
    return this.metrics()
      .filter((metric) => metric.name.startsWith(prefix))
      .flatMap(({ name, gauge }) =>
        (gauge?.data_points ?? [])
          .filter(({ flags = 0 }) => flags === 0)
          .map(({ attributes, as_int: int, as_double: double }) => {
            const values = Object.values(plainAttributes(attributes)).join(' ');
            return `${name}{${values}} ${Number(int ?? double)}`;
          }),
      )
      .toSorted();
  }

  /** The text of one resource attribute, in each request that has it. */
  resourceAttribute(key: string): unknown[] {
    return this.#requests
      .flatMap(({ resource_spans: spans = [], resource_metrics: metrics = [] }) => [...spans, ...metrics])
      .flatMap(({ resource }) => resource.attributes)
      .filter((attribute) => attribute.key === key)
      .map(({ value }) => value['string_value']);
  }

  async #keep(request: IncomingMessage): Promise<void> {
    const raw = Buffer.concat(await request.toArray());
    if (request.headers['content-type'] !== 'application/x-protobuf') return;
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const message = MESSAGES[request.url ?? ''] ?? 'ExportMetricsServiceRequest';
    this.#requests.push(messageToObject(message, body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Attributes as a record; values as text. */
export function plainAttributes(attributes: readonly KeyValue[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}
