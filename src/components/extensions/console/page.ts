import { gzip } from 'node:zlib';
import { promisify } from 'node:util';

/** The files of the page, by their path. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** A file as it is sent. */
export interface SentFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

export const INDEX = '/index.html';

/** The files of the page, read and compressed when somebody opens it for the first time. */
export class Page {
  readonly #read: () => Promise<PageFiles>;
  /** The addresses of views. All are one document, which reads the address. */
  readonly #view: RegExp;
  #files: Promise<ReadonlyMap<string, SentFile>> | undefined;

  /** @param views the views besides the dashboards. Their names are their paths. */
  constructor(read: () => Promise<PageFiles>, views: readonly string[]) {
    this.#read = read;
    this.#view = new RegExp(`^/(?:|d/.*|traces/.*|${views.join('|')})$`);
  }

  /** Undefined for a path that the page does not have. */
  async file(path: string): Promise<SentFile | undefined> {
    this.#files ??= this.#compressed().catch((error: unknown) => {
      // The next request reads again.
      this.#files = undefined;
      throw error;
    });
    return (await this.#files).get(this.#view.test(path) ? INDEX : path);
  }

  async #compressed(): Promise<ReadonlyMap<string, SentFile>> {
    const files = [...(await this.#read())].map(async ([path, { type, text }]): Promise<[string, SentFile]> => {
      const plain = Buffer.from(text);
      return [path, { type, plain, gzipped: await promisify(gzip)(plain) }];
    });
    return new Map(await Promise.all(files));
  }
}
