import { viewOf } from '../../../engine/columns/hash-bytes.ts';
import { spanKinds, type SpanKind } from '../../../engine/otlp/span-reader.ts';
import { WantedKeys } from '../../../engine/otlp/wanted-keys.ts';

/** Which spans the measurements of a metric belong to. */
export interface Rule {
  readonly metric: string;
  /** Empty for all. */
  readonly spanKinds: readonly SpanKind[];
  /** Empty for all. */
  readonly spanNames: readonly string[];
  /** Attributes that a span has if, and only if, the points of its measurements have them, with the same value. */
  readonly attributes: readonly string[];
  /** Attributes that points may omit. */
  readonly optionalAttributes: readonly string[];
}

/**
 * How the attributes of a series are to those of a span. `equal`: the measurement may be in the series. `compatible`: one
 * of them has an attribute that the other lacks, so it may be there too, and nothing proves it.
 */
export type Relation = 'equal' | 'compatible' | 'different';

type Attributes = ReadonlyMap<string, string>;

const ALL_KINDS = 2 ** spanKinds.length - 1;

/** A rule in the form in which it is applied. */
export class CompiledRule {
  /** The encoded name. */
  readonly metric: DataView;
  readonly spanNames: ReadonlySet<string>;
  readonly wanted: WantedKeys;
  /** False if a span has nothing to do with the metric unless it has one of the attributes. */
  readonly takesAll: boolean;
  /** One bit for each kind of span, by its number in OTLP. */
  readonly kinds: number;
  readonly #required: readonly string[];
  readonly #listed: ReadonlySet<string>;

  constructor({ metric, spanKinds: kinds, spanNames, attributes, optionalAttributes }: Rule) {
    this.metric = viewOf(Buffer.from(metric));
    this.spanNames = new Set(spanNames);
    this.wanted = new WantedKeys(attributes, optionalAttributes);
    this.takesAll = attributes.length === 0;
    this.kinds = kinds.reduce(
      (bits, kind) => bits | (1 << spanKinds.indexOf(kind)),
      kinds.length === 0 ? ALL_KINDS : 0,
    );
    this.#required = attributes;
    this.#listed = new Set([...attributes, ...optionalAttributes]);
  }

  /** The values of the attributes that a span and its series have in common, whatever else they have. */
  identity(attributes: Attributes): string {
    return JSON.stringify(this.#required.map((key) => attributes.get(key) ?? null));
  }

  /** For a series and a span with the same identity. */
  compare(series: Attributes, span: Attributes): Relation {
    let relation: Relation = 'equal';
    for (const [key, value] of series) {
      const ofSpan = this.#listed.has(key) ? span.get(key) : undefined;
      if (ofSpan !== undefined && ofSpan !== value) return 'different';
      if (ofSpan === undefined) relation = 'compatible';
    }
    return relation;
  }
}

const rule = (
  metric: string,
  kinds: readonly SpanKind[],
  attributes: readonly string[],
  optionalAttributes: readonly string[],
): Rule => ({ metric, spanKinds: kinds, spanNames: [], attributes, optionalAttributes });

const NETWORK = ['network.protocol.name', 'network.protocol.version', 'server.address', 'server.port'];
const OLD_NETWORK = ['http.scheme', 'http.flavor', 'net.protocol.name', 'net.protocol.version'];

/**
 * https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ and …/database/database-metrics/, with the names that
 * HTTP had before they became stable.
 */
export const builtInRules: readonly Rule[] = [
  rule(
    'http.server.request.duration',
    ['server'],
    ['http.request.method', 'http.response.status_code', 'http.route'],
    ['error.type', 'url.scheme', 'user_agent.synthetic.type', ...NETWORK],
  ),
  rule(
    'http.client.request.duration',
    ['client'],
    ['http.request.method', 'http.response.status_code'],
    ['error.type', 'url.scheme', 'url.template', ...NETWORK],
  ),
  rule(
    'db.client.operation.duration',
    ['client', 'internal'],
    ['db.system.name', 'db.operation.name', 'db.collection.name', 'db.namespace'],
    [
      'db.query.summary',
      'db.query.text',
      'db.response.status_code',
      'db.stored_procedure.name',
      'error.type',
      'network.peer.address',
      'network.peer.port',
      'server.address',
      'server.port',
    ],
  ),
  rule(
    'http.server.duration',
    ['server'],
    ['http.method', 'http.status_code', 'http.route'],
    ['net.host.name', 'net.host.port', ...OLD_NETWORK],
  ),
  rule(
    'http.client.duration',
    ['client'],
    ['http.method', 'http.status_code'],
    ['net.peer.name', 'net.peer.port', ...OLD_NETWORK],
  ),
];
