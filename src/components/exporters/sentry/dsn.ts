/** The address and key of a Sentry project. https://develop.sentry.dev/sdk/foundations/transport/authentication/ */
export interface Dsn {
  readonly envelopeUrl: URL;
  readonly publicKey: string;
  /** The id of the project. It is not a secret. */
  readonly project: string;
}

const DSN =
  /^(?<origin>https?:)\/\/(?<key>\w+)(?::\w*)?@(?<host>[^\s/?#@]+)(?<prefix>(?:\/[^\s/?#]+)*)\/(?<project>\w+)\/?$/;

/** Undefined if the text is not a DSN. Errors must not show the text, because it contains a key. */
export function parseDsn(text: string): Dsn | undefined {
  const groups = DSN.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { origin, key, host, prefix, project } = groups;
  const url = `${origin}//${host}${prefix}/api/${project}/envelope/`;
  return URL.canParse(url)
    ? { envelopeUrl: new URL(url), publicKey: key as string, project: project as string }
    : undefined;
}

/** Sentry's own service takes spans one by one; whether another server does depends on its version. */
export function isSentrySaas({ envelopeUrl: { hostname } }: Dsn): boolean {
  return hostname === 'sentry.io' || hostname.endsWith('.sentry.io');
}
