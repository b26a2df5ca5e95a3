import { remembering } from './remembering.ts';

/** In place of a secret. Sentry's SDKs write the same. */
export const FILTERED = '[Filtered]';

/** Words for passwords. Texts and SQL have them, too. */
export const PASSWORD = 'password|passwd|passphrase|passcode|pwd?';
/** The end of a name of a secret value, in queries, headers and attributes as in texts: `myapikey`, `dbpassword`, `db_pw`. */
export const SECRET_WORDS = `${PASSWORD}|secret|token|(?:api|access|private|secret|signing|encryption|master)[-_.]?key|cookie|credentials?|(?:code|oauth)[-_]?verifier`;

/** Names of secret values, at the end of an attribute, a header or a query parameter. Others before them make words. */
const SECRET_NAME =
  /(?:^|[^a-z])(?:auth|authorization|pass|(?:aws)?access[-_]?key[-_]?id|sentry[-_]?key|jwt|bearer|sso|saml|csrf|xsrf|hmac|signature|sig|session[-_.]?id|sid|code|pin|pin[-_]?code|cvv|cvc|otp|ticket|assertion|samlresponse|magic)(?:\[\d*\]|\])*$/i;
const SECRET_SUFFIX = new RegExp(String.raw`(?:${SECRET_WORDS})(?:\[\d*\]|\])*$`, 'i');
/** `accessToken`, `clientSecret` */
const SECRET_CAMEL_CASE = /[a-z](?:Token|Secret|Password|Key|Signature|Credentials?|Pin)$/;
/** These are not secrets, although they look like it. */
const HARMLESS =
  /(?:status[._-]?code|error[._-]?code|exit[._-]?code|response[._]code|zip[-_]?code|sqlstate|lineno|code\.[a-z._]+)$/i;

const MAX_REMEMBERED_CHARACTERS = 64;

export const isSecretName = remembering(endsSecretly, { texts: 1000, characters: MAX_REMEMBERED_CHARACTERS });

/** Sessions have such parameters. As attributes they describe something else. */
const SESSION = /(?:^|[^a-z]|php|j|asp)sess(?:ion)?[-_]?(?:id)?$/i;

/** For the parameters of queries. */
export function isSecretParameter(name: string): boolean {
  return isSecretName(name) || SESSION.test(name.slice(-MAX_REMEMBERED_CHARACTERS));
}

/** Reads only the end of a name: the sender decides how long it is. */
function endsSecretly(text: string): boolean {
  const name = text.slice(-256);
  const isSecret = SECRET_NAME.test(name) || SECRET_SUFFIX.test(name) || SECRET_CAMEL_CASE.test(name);
  return isSecret && !HARMLESS.test(name);
}
