import * as v from 'valibot';
import { secretUrl } from './fields.ts';
import type { SecretUrl } from './secret.ts';

/** The absolute URL of a server; stays a text. */
export function httpUrl(): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.check(isHttpUrl, 'must be an http:// or https:// URL, for example http://127.0.0.1:4318'),
  );
}

/** The URL of a proxy for HTTP, which may contain a user and a password. Empty text counts as not set. */
export function proxyUrl(): v.GenericSchema<unknown, SecretUrl | undefined> {
  return v.pipe(
    secretUrl(),
    v.check(
      (url) => url.isEmpty || isHttpUrl(url.reveal()),
      'must be the URL of an HTTP proxy, for example http://proxy:3128',
    ),
    v.transform((url) => (url.isEmpty ? undefined : url)),
  );
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
