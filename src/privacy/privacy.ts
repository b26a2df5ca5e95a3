import type { AnyValue } from '../engine/otlp/any-value.ts';
import { wildcard } from '../engine/wildcard.ts';
import { withoutOpaqueParts } from './opaque-segments.ts';
import { withoutLiterals } from './query-literals.ts';
import { remembering } from './remembering.ts';
import { FILTERED, isSecretName } from './secret-names.ts';
import { withoutSecretParameters, withoutSecretQuery, withoutSecrets } from './secrets-in-text.ts';

export interface PrivacySettings {
  /** More attributes that are left out: names, in which `*` matches any text. */
  readonly denied?: readonly string[];
  /** True to let addresses of clients, names of users, cookies and arguments through, as Sentry's `sendDefaultPii`. */
  readonly personal?: boolean;
}

/** Say who somebody is, or what was typed. */
const PERSONAL = [
  'process.command_args',
  'process.command_line',
  'process.owner',
  'client.address',
  'client.socket.address',
  'source.address',
  'network.peer.address',
  'net.peer.ip',
  'net.sock.peer.addr',
  'http.client_ip',
  'user.email',
  'user.name',
  'user.full_name',
  'user.ip_address',
  'host.ip',
  'host.mac',
  'db.postgresql.values',
  'db.query.parameter.*',
  'db.operation.parameter.*',
  'http.request.body.content',
  'http.request.header.cookie',
  'http.response.header.set-cookie',
  'http.request.header.forwarded',
  'http.request.header.via',
  'http.request.header.*-ip',
  'http.request.header.x-forwarded-*',
  'http.request.header.remote-*',
  'http.request.header.*-user',
];

/** Their values are words of a standard, and most spans have them. */
const PLAIN = new Set([
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'url.scheme',
  'network.protocol.version',
  'server.address',
  'server.port',
  'db.system.name',
  'db.operation.name',
  'error.type',
]);

/** The treatment of the values of an attribute: `path`, `query` and `clean` look at each value, and `keep` lets all through. */
export type Treatment = 'omit' | 'hide' | 'keep' | 'path' | 'query' | 'clean';

/** The number of attribute names whose treatment is remembered: their number is up to the senders. */
const MAX_REMEMBERED = 5000;

/**
 * Decides what may leave: one list for everything that stores telemetry or sends it to somebody else: credentials in addresses,
 * sensitive query values and headers, and personal attributes never pass, unless `personal` is set. Secrets never do.
 */
export class Privacy {
  readonly #denied: readonly ((name: string) => boolean)[];
  readonly #treatments = new Map<string, Treatment>();

  constructor({ denied = [], personal = false }: PrivacySettings = {}) {
    this.#denied = [...(personal ? [] : PERSONAL), ...denied].map(wildcard);
  }

  /** The value of an attribute as it may leave; undefined if it must not. */
  clean(name: string, value: AnyValue): AnyValue | undefined {
    const treatment = this.treatment(name);
    if (treatment === 'omit') return undefined;
    if (treatment === 'hide') return FILTERED;
    if (treatment === 'keep') return value;
    if (treatment === 'path') return cleanPath(value);
    return cleanValue(value, treatment === 'query');
  }

  /** For those that remember it by something else than the name. */
  treatment(name: string): Treatment {
    return this.#treatments.get(name) ?? this.#learn(name);
  }

  #learn(name: string): Treatment {
    const treatment = this.#treatmentOf(name);
    if (this.#treatments.size < MAX_REMEMBERED) this.#treatments.set(name, treatment);
    return treatment;
  }

  #treatmentOf(name: string): Treatment {
    if (this.#denied.some((matches) => matches(name))) return 'omit';
    if (PLAIN.has(name)) return 'keep';
    if (isSecretName(name)) return 'hide';
    if (name === 'url.path' || name === 'http.target') return 'path';
    return name === 'url.query' ? 'query' : 'clean';
  }
}

const REMEMBERED = { texts: 2000, characters: 256 };

/** A text without secrets: credentials and sensitive query values of addresses, passwords, tokens, values in statements. */
export const cleanText = remembering((text) => withoutSecrets(withoutStatementValues(text)), REMEMBERED);

/** A text that begins like a statement, and has a value. */
const WHOLE_STATEMENT = /^\s{0,8}(?:select|insert|update|delete|merge|replace|with|call)\s[^]{0,16000}?['"$=]/i;

/** The same for a name or a short message, which may be a whole statement. */
export const cleanName = remembering(
  (name) => cleanText(WHOLE_STATEMENT.test(name) ? withoutLiterals(name) : name),
  REMEMBERED,
);

/** Query builders put the whole statement before the message of the database: `insert into … values (…) - duplicate key …`. */
const STATEMENT =
  /^((?:\w{0,64}error: )?)((?:select|insert|update|delete|merge|replace|with|call)\s[^]{0,16000}?) - (?=[^\n]*(?:\n|$))/i;

function withoutStatementValues(text: string): string {
  const match = STATEMENT.exec(text);
  if (match === null) return text;
  const [all, prefix = '', statement = ''] = match;
  return `${prefix}${withoutLiterals(statement)} - ${text.slice(all.length)}`;
}

function cleanValue(value: AnyValue, isQuery: boolean): AnyValue {
  if (typeof value === 'string') return isQuery ? withoutSecretQuery(value) : cleanText(value);
  if (value instanceof Uint8Array) return holdsSecret(value, isQuery) ? FILTERED : value;
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, AnyValue>)];
    return new Map(entries.map(([key, inner]) => [key, cleanMember(key, inner, isQuery)]));
  }
  return Array.isArray(value) ? (value as readonly AnyValue[]).map((inner) => cleanValue(inner, isQuery)) : value;
}

const STATEMENTS: ReadonlySet<string> = new Set(['db.query.text', 'db.statement']);

function cleanMember(key: string, value: AnyValue, isQuery: boolean): AnyValue {
  if (isSecretName(key)) return FILTERED;
  const isStatement = typeof value === 'string' && STATEMENTS.has(key);
  return cleanValue(isStatement ? withoutLiterals(value) : value, isQuery);
}

/** A path, with the query of `http.target` or with parameters of its own: `/cart;jsessionid=…`. */
function cleanPath(value: AnyValue): AnyValue {
  if (typeof value !== 'string') return cleanValue(value, true);
  const cleaned = withoutOpaqueParts(value);
  const mark = cleaned.indexOf('?');
  const path = mark < 0 ? cleaned : cleaned.slice(0, mark);
  const query = mark < 0 ? '' : withoutSecretQuery(cleaned.slice(mark));
  return cleanText(path.includes(';') ? withoutSecretParameters(path) : path) + query;
}

/** Bytes may be a text. What is secret in them is ASCII. */
function holdsSecret(bytes: Uint8Array, isQuery: boolean): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return cleanValue(text, isQuery) !== text;
}
