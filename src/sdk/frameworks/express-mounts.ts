/** Follows a request of Express through mounted routers, whose patterns together make its route. */
import type { IncomingMessage } from 'node:http';

export interface ExpressRequest extends IncomingMessage {
  /** Within a router, the part of the path that its mounts have matched. */
  readonly baseUrl?: string;
  readonly route?: { readonly path?: Pattern };
}

export type Pattern = string | RegExp | readonly Pattern[] | undefined;

/** Prefixes of the route by the path that the mounts have matched, for example `/tenants/:id` by `/tenants/42`. */
const prefixes = new WeakMap<object, Map<string, string>>();

/** The route of a pattern within the router that handles the request now. */
export function routeIn(request: ExpressRequest, pattern: Pattern): string {
  const { baseUrl = '' } = request;
  const route = `${baseUrl === '' ? '' : (prefixes.get(request)?.get(baseUrl) ?? '')}${textOf(pattern)}`;
  const text = route.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  return text.startsWith('/') ? text : `/${text}`;
}

/**
 * Remembers the pattern of a mount that has just matched. Returns true if it has matched the whole path, so that the
 * handler may be the end of a route, for example `app.use('/graphql', handler)`.
 */
export function rememberMount(request: ExpressRequest, pattern: Pattern): boolean {
  const { baseUrl = '', url = '' } = request;
  const text = textOf(pattern);
  if (baseUrl === '' || text === '' || text === '/') return false;
  const passed = prefixes.get(request) ?? new Map<string, string>();
  prefixes.set(request, passed.set(baseUrl, `${outerPrefix(passed, baseUrl, text)}${text}`));
  return url === '/' || url.startsWith('/?');
}

/**
 * The prefix of the router that contains the mount. A request passes mounts without entering what is behind them, so that
 * several may seem to contain this one: then the number of segments in its pattern decides.
 */
function outerPrefix(passed: ReadonlyMap<string, string>, baseUrl: string, pattern: string): string {
  const outer = [...passed.keys()].filter((path) => baseUrl.startsWith(`${path}/`));
  if (outer.length === 0) return '';
  const candidates = ['', ...outer].toSorted((a, b) => b.length - a.length);
  const own = segments(pattern);
  const match = candidates.find((path) => segments(baseUrl.slice(path.length)) === own) ?? candidates[0]!;
  return passed.get(match) ?? '';
}

function segments(path: string): number {
  return path.split('/').filter((segment) => segment !== '').length;
}

function textOf(pattern: Pattern): string {
  if (pattern === undefined) return '';
  if (typeof pattern === 'string') return pattern;
  return pattern instanceof RegExp ? String(pattern) : pattern.map(textOf).join(',');
}
