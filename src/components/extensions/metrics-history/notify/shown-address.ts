import { maskUrl } from '../../../../engine/schema/mask-url.ts';
import type { Secret } from '../../../../engine/schema/secret.ts';

/** The address of a server as a page may show it. Undefined if a part of it, besides user and password, is secret. */
export function shownAddress(secret: Secret): string | undefined {
  const url = new URL(secret.reveal());
  url.username = '';
  url.password = '';
  return maskUrl(url.href)?.credentials.length === 0 ? url.href.replace(/\/$/, '') : undefined;
}
