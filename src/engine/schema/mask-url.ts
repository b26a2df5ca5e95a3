import { replaceOpaqueParts } from './opaque-parts.ts';

export const MASK = '[REDACTED]';

export interface MaskedUrl {
  /** The URL with `[REDACTED]` instead of each credential. */
  readonly text: string;
  /** The credentials, as written and decoded. */
  readonly credentials: readonly string[];
}

const URL_PARTS =
  /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:(?<user>[^:@/?#\s]*)(?<login>:(?<password>[^/?#\s]*))?@)?(?<host>[^@/?#\s]*)(?<path>\/[^?#\s]*)?(?:\?(?<query>[^#\s]*))?(?:#(?<fragment>\S*))?$/i;

/**
 * Masks the credentials of a URL: the password, the user without a password unless it is a role of a database, tokens in
 * the path, and parameters that are named like a credential.
 *
 * @returns undefined if the text is not a URL.
 */
export function maskUrl(text: string): MaskedUrl | undefined {
  const parts = URL_PARTS.exec(text)?.groups as UrlParts | undefined;
  if (parts === undefined) return undefined;
  const credentials: string[] = [];
  const mask = (credential: string): string => {
    if (credential === '') return '';
    credentials.push(credential, decoded(credential));
    return MASK;
  };
  const { scheme, host = '', path = '', query, fragment } = parts;
  const end = [
    ...(query === undefined ? [] : [`?${maskedParameters(query, mask)}`]),
    ...(fragment === undefined ? [] : [`#${maskedParameters(fragment, mask)}`]),
  ];
  return {
    text: `${scheme}://${maskedLogin(parts, mask)}${host}${maskedPath(host, path, mask)}${end.join('')}`,
    credentials,
  };
}

type UrlParts = Readonly<Record<string, string | undefined>>;
type Mask = (credential: string) => string;

function maskedLogin({ scheme = '', user, login, password = '' }: UrlParts, mask: Mask): string {
  if (user === undefined) return '';
  const shownUser = /^postgres(ql)?$/i.test(scheme) ? user : mask(user);
  return login === undefined ? `${shownUser}@` : `${shownUser}:${mask(password)}@`;
}

/** Hosts of webhooks, such as `hooks.slack.com`, have no other paths than secrets. */
function maskedPath(host: string, path: string, mask: Mask): string {
  return /^hooks?\./i.test(host) ? `/${mask(path.slice(1))}` : replaceOpaqueParts(path, mask);
}

/** Masks the credentials of every URL in the text. */
export function maskUrlsIn(text: string, onCredentials: (credentials: readonly string[]) => void): string {
  return text.replaceAll(/[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"<>`]+/gi, (url) => {
    const masked = maskUrl(url);
    onCredentials(masked?.credentials ?? []);
    return masked?.text ?? url;
  });
}

/** True for the name of a setting or parameter whose value is a credential. */
export function namesCredential(name: string): boolean {
  return CREDENTIAL.test(name.replaceAll('-', '_'));
}

const CREDENTIAL =
  /(?:pass|pwd|passwd|password|passphrase|secret|token|signature|credentials?|(?:api|access|private|subscription|license)_?key)$/i;
/** Names that mean a credential in a URL, and something else elsewhere. */
const CREDENTIAL_IN_URL = /^(?:key|sig|auth|code)$/i;

function maskedParameters(query: string, mask: Mask): string {
  return query.replaceAll(/(^|[&;])([^=&;]*)=([^&;]*)/g, (whole, start: string, written: string, value: string) => {
    const name = decoded(written);
    return namesCredential(name) || CREDENTIAL_IN_URL.test(name) ? `${start}${written}=${mask(value)}` : whole;
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
