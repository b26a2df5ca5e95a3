/**
 * Read-only queries about what a component holds. The component answers them on an address of its own, and offers them to
 * the console.
 */
export interface QueryApi {
  /** The beginning of its paths, such as `/api/v1/`. Where several fit, the longest one counts. */
  readonly prefix: string;
  /**
   * Never rejects: a query that is wrong or cannot be answered now has a status that shows it.
   *
   * @param hasRoom asked before the work begins, which may be much later. If it is false, the answer is a 503.
   */
  answer(path: string, parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer>;
}

/** Asks the component that answers a path. Never rejects: without such a component, the answer names what is missing. */
export type AskQuery = (...query: Parameters<QueryApi['answer']>) => Promise<QueryAnswer>;

export interface QueryAnswer {
  /** An HTTP status. */
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** An answer as text, for readers without a browser. */
export interface TextView {
  /** The path of the query whose answer it shows. It gets the parameters of the address, and these. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** @param answer the parsed JSON. */
  readonly text: (answer: unknown) => string;
  /** For a list that can be followed: the parameter `after` of the next page, and whether the page has items. */
  readonly page?: (answer: unknown) => { readonly after: string; readonly isEmpty: boolean };
}

/** The APIs of the components that run now. */
export class QueryApis {
  readonly #offered = new Set<QueryApi>();

  /** From now on, until the result is disposed of. */
  offer(api: QueryApi): Disposable {
    this.#offered.add(api);
    return { [Symbol.dispose]: () => void this.#offered.delete(api) };
  }

  /** Undefined if no component answers this path. */
  of(path: string): QueryApi | undefined {
    const fitting = [...this.#offered].filter(({ prefix }) => path.startsWith(prefix));
    return fitting.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  }
}
