import type { AnyValue } from '../engine/otlp/any-value.ts';
import { wildcard } from '../engine/wildcard.ts';

export interface PrivacySettings {
  /** More attributes that are left out: names, in which `*` matches any text. */
  readonly denied?: readonly string[];
  /** True to let addresses of clients, names of users, cookies and arguments through, as Sentry's `sendDefaultPii`. */
  readonly personal?: boolean;
}

/** In place of a secret. Sentry's SDKs write the same. */
export const FILTERED = '[Filtered]';

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

/** Names of secret values, at the end of an attribute, a header or a query parameter. */
const SECRET_NAME =
  /(?:^|[^a-z])(?:auth|authorization|password|passwd|pass|pwd|passphrase|secret|token|api[-_]?key|apikey|(?:aws)?access[-_]?key(?:[-_]?id)?|sentry[-_]?key|private[-_]?key|jwt|bearer|sso|saml|csrf|xsrf|credentials?|signature|sig|session[-_]?id|sid|code|cookie|set-cookie|otp|ticket|assertion|samlresponse|magic)(?:\[\d*\]|\])*$/i;
/** `accessToken`, `clientSecret` */
const SECRET_CAMEL_CASE = /[a-z](?:Token|Secret|Password|Key|Signature|Credentials?)$/;
/** These are not secrets, although they look like it. */
const HARMLESS =
  /(?:status[._-]?code|error[._-]?code|exit[._-]?code|response[._]code|session\.id|zip[-_]?code|sqlstate|lineno|code\.[a-z._]+)$/i;

const USER_INFO = /(\b[a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#@]{1,1024}@/gi;
const PARAMETER = /([?&;]|^)([^=&;?#\s]{1,256})=([^&;#\s"'<>]*)/g;

/** The treatment of the values of an attribute: `query` and `clean` look at each value. */
export type Treatment = 'omit' | 'hide' | 'query' | 'clean';

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
    if (isSecretName(name)) return 'hide';
    return name === 'url.query' || name === 'http.target' ? 'query' : 'clean';
  }
}

/** A text without the credentials and the sensitive query values of the addresses in it. */
export function cleanText(text: string): string {
  if (!text.includes('://')) return text;
  return cleanParameters(text.replace(USER_INFO, `$1${FILTERED}@`));
}

function cleanValue(value: AnyValue, isQuery: boolean): AnyValue {
  if (typeof value === 'string') return isQuery ? cleanParameters(value) : cleanText(value);
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, AnyValue>)];
    return new Map(entries.map(([key, inner]) => [key, isSecretName(key) ? FILTERED : cleanValue(inner, isQuery)]));
  }
  return Array.isArray(value) ? (value as readonly AnyValue[]).map((inner) => cleanValue(inner, isQuery)) : value;
}

function cleanParameters(text: string): string {
  return text.replaceAll(PARAMETER, (all: string, before: string, name: string) =>
    isSecretName(decoded(name)) ? `${before}${name}=${FILTERED}` : all,
  );
}

/** Servers decode names before they read them. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Reads only the end of a name: the sender decides how long it is. */
function isSecretName(text: string): boolean {
  const name = text.slice(-256);
  return (SECRET_NAME.test(name) || SECRET_CAMEL_CASE.test(name)) && !HARMLESS.test(name);
}
