import type { IncomingMessage } from 'node:http';

/**
 * The path of a request, without the query. The target may be a whole URL, as proxies send it.
 * https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function pathOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  const path = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
  const end = path.search(/[?#]/);
  return decoded(end === -1 ? path : path.slice(0, end));
}

/** The parameters in the query of a request. */
export function queryOf({ url = '' }: Pick<IncomingMessage, 'url'>): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
