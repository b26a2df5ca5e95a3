import type { IncomingMessage } from 'node:http';

/** The text of a view, for readers without a browser. */
export interface TextView {
  /** The path of the query whose answer it shows. It gets the parameters of the address, and these. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** @param answer the parsed JSON. */
  readonly text: (answer: unknown) => string;
  /** For a list that can be followed: the parameter `after` of the next page, and whether the page has items. */
  readonly page?: (answer: unknown) => { readonly after: string; readonly isEmpty: boolean };
}

/** The form that a reader accepts: a browser asks for HTML, `curl` for anything. */
export function acceptedForm({ headers: { accept = '*/*' } }: IncomingMessage): 'page' | 'json' | 'text' {
  if (accept.includes('text/html')) return 'page';
  return accept.includes('application/json') ? 'json' : 'text';
}
