import type { IncomingMessage } from 'node:http';

/** The form that a reader accepts: a browser asks for HTML, `curl` for anything. */
export function acceptedForm({ headers: { accept = '*/*' } }: IncomingMessage): 'page' | 'json' | 'text' {
  if (accept.includes('text/html')) return 'page';
  return accept.includes('application/json') ? 'json' : 'text';
}
