/** Decides whether a request may be served. The role `authenticator` of an extension; servers refer to one under `auth`. */
export interface Authenticator {
  /** The `WWW-Authenticate` header of a refusal. https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate */
  readonly challenge: string;
  /**
   * True if the request may be served. Synchronous if the check is cheap. Never logs or returns the content of headers.
   *
   * @throws RetryableError if too many other checks are waiting. The credentials may be right.
   */
  authenticate(header: HeaderReader): boolean | Promise<boolean>;
}

/** The value of a header or of gRPC metadata, by its name in lower case. */
export type HeaderReader = (name: string) => string | undefined;
