import type { IncomingMessage } from 'node:http';

/** The text of a view, for readers without a browser. */
export interface TextView {
  /** The query whose answer it shows, as path and parameters. */
  readonly query: string;
  /** @param answer the parsed JSON. */
  readonly text: (answer: unknown) => string;
}

/** Text views by their path. */
export type TextViews = ReadonlyMap<string, TextView>;

/** The form that a reader accepts: a browser asks for HTML, `curl` for anything. */
export function acceptedForm({ headers: { accept = '*/*' } }: IncomingMessage): 'page' | 'json' | 'text' {
  if (accept.includes('text/html')) return 'page';
  return accept.includes('application/json') ? 'json' : 'text';
}
