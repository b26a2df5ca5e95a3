/** The route of Next.js, which keeps what it knows about a request at the request itself. */

const META = Symbol.for('NextInternalRequestMeta');

/** Next renders this page when none matches. */
const NOT_FOUND = '/_not-found';

interface NextRequest {
  readonly [META]?: { readonly match?: { readonly definition?: { readonly pathname?: unknown } } };
}

/** The page or route handler, for example `/blog/[slug]`; undefined for other servers. */
export function nextRoute(request: object): string | undefined {
  const pathname = (request as NextRequest)[META]?.match?.definition?.pathname;
  return typeof pathname === 'string' && pathname !== NOT_FOUND ? pathname : undefined;
}
