import * as v from 'valibot';
import type { Component, Host } from './component.ts';
import { ExtensionReference, referredExtension } from './extension-reference.ts';

/** What decides who may use a server. Extensions implement it, receivers and exporters name one of them under `auth`. */
export interface Authenticator {
  /** The answer's `WWW-Authenticate` where a request is refused. https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate */
  readonly challenge: string;
  /** Whether the request may be served; at once where that is cheap. It tells nobody, not even a log, what the headers held. */
  authenticate(header: HeaderReader): boolean | Promise<boolean>;
}

/** The value of a header or of gRPC metadata, by its name in lower case. */
export type HeaderReader = (name: string) => string | undefined;

/** The key `auth` of a server. */
export const authSchema = v.strictObject({
  authenticator: v.pipe(
    v.string(),
    v.transform((id) => new ExtensionReference(id, 'authenticator')),
  ),
});

export type AuthConfig = v.InferOutput<typeof authSchema>;

/**
 * The running authenticator that `auth` names; undefined without `auth`.
 *
 * @throws Error that names the extension, if it does not run or is no authenticator.
 */
export function authenticatorOf(host: Host, auth: AuthConfig | undefined): Authenticator | undefined {
  if (auth === undefined) return undefined;
  return referredExtension<Authenticator>(host, auth.authenticator, 'auth::authenticator', isAuthenticator);
}

function isAuthenticator(extension: Component): extension is Component & Authenticator {
  return 'authenticate' in extension && 'challenge' in extension;
}
