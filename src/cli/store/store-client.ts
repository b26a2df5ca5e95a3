import type { CollectorConfig } from '../../engine/collector-config.ts';
import { describeError } from '../../engine/describe-error.ts';
import { basicAuthorization } from '../../engine/net/basic-authorization.ts';
import { HttpClient } from '../../engine/net/http-client.ts';
import { addressOf, type ServerAddress } from '../component-address.ts';
import { UsageError, type CommandContext, type CommandOptions } from '../command.ts';
import { readConfig } from '../read-config.ts';

const TIMEOUT_MS = 30_000;
/** More than the longest answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The options of each command that asks the store. */
export const STORE_OPTIONS = [
  '--url URL                    the address of the telemetry_store, instead of the one in the configuration',
  '--json                       print JSON, one line for each item',
];

/** The store cannot be asked, or has no answer. The message is for the user. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /** True if the store answers, but does not have what was asked for. */
  readonly isAbsent: boolean;

  constructor(
    message: string,
    { isAbsent = false, cause }: { readonly isAbsent?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isAbsent = isAbsent;
  }
}

/** A component that answers queries. */
export interface Answering {
  readonly type: string;
  /** Why it cannot be asked, if the configuration does not have it. */
  readonly missing: string;
  /** Its address; undefined if it does not run. */
  readonly addressIn: (config: CollectorConfig) => ServerAddress | undefined;
}

/** Asks the `telemetry_store` of a running sidecar, or another component that answers queries. */
export class StoreClient {
  readonly #base: URL;
  readonly #asked: Answering;
  readonly #client = new HttpClient({ tls: { rejectUnauthorized: false }, maxAnswerBytes: MAX_ANSWER_BYTES });

  private constructor(base: URL, asked: Answering) {
    this.#base = base;
    this.#asked = asked;
  }

  /** @throws UsageError, or StoreUnavailable if the configuration has no store or is wrong. */
  static async of(options: CommandOptions, context: CommandContext, asked: Answering = STORE): Promise<StoreClient> {
    const given = options.given['url'];
    if (given !== undefined && !URL.canParse(given)) throw new UsageError('--url must be a URL');
    return new StoreClient(new URL(given ?? (await configuredAddress(options, context, asked))), asked);
  }

  get origin(): string {
    return this.#base.origin;
  }

  /**
   * @param query values by parameter; those that are undefined are left out.
   * @throws UsageError if the store does not understand the query, otherwise StoreUnavailable.
   */
  async ask<T>(path: string, query: Readonly<Record<string, string | readonly string[] | undefined>> = {}): Promise<T> {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) {
      for (const one of typeof value === 'string' ? [value] : (value ?? [])) url.searchParams.append(name, one);
    }
    const { status, body } = await this.#get(url);
    const answer = parsed(body);
    if (status !== 200 || answer === undefined) throw this.#refusal(status, answer, Object.keys(query));
    return answer as T;
  }

  /** The text of a file of the console. @throws StoreUnavailable */
  async file(path: string): Promise<string> {
    const { status, body } = await this.#get(new URL(path, this.#base));
    if (status === 200) return body.toString();
    throw new StoreUnavailable(`${this.#base.origin} is not a ${this.#asked.type}: ${path} has status ${status}`);
  }

  close(): void {
    this.#client.close();
  }

  #refusal(status: number, answer: unknown, parameters: readonly string[]): UsageError | StoreUnavailable {
    const { error } = (answer ?? {}) as { readonly error?: string };
    if (error === undefined) {
      return new StoreUnavailable(
        `${this.#base.origin} is not a ${this.#asked.type}: it answers with status ${status}`,
      );
    }
    if (status === 400) {
      return new UsageError(
        // Behind the verb are values.
        error.replace(/^.*?(?= must | is | are |$)/, (subject) =>
          subject.replaceAll(/[a-z_]+/g, (word) =>
            parameters.includes(word) ? `--${word.replaceAll('_', '-')}` : word,
          ),
        ),
      );
    }
    return new StoreUnavailable(error, { isAbsent: status === 404 });
  }

  async #get(url: URL): Promise<{ readonly status: number; readonly body: Buffer }> {
    const headers: Record<string, string> =
      this.#base.username === '' ? {} : { authorization: basicAuthorization(this.#base) };
    const request = {
      method: 'GET',
      url,
      headers,
      chunks: [],
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    try {
      return await this.#client.post(request, { follows: false });
    } catch (error) {
      const { origin } = this.#base;
      throw new StoreUnavailable(
        `no sidecar answers at ${origin}: ${describeError(error)}\nStart one with 'siphon run', or name its address with --url`,
        { cause: error },
      );
    }
  }
}

const STORE: Answering = {
  type: 'telemetry_store',
  missing: [
    'the configuration has no telemetry_store in a pipeline',
    'Add telemetry_store to `exporters`, and to the exporters of the pipelines of traces, logs and metrics',
  ].join('\n'),
  addressIn: ({ exporters, service }) => {
    const used = new Set(service.pipelines.flatMap((pipeline) => pipeline.exporters));
    const found = [...exporters].find(([id, { factory }]) => factory.type === 'telemetry_store' && used.has(id));
    return found?.[1].config as ServerAddress | undefined;
  },
};

async function configuredAddress(
  options: CommandOptions,
  context: CommandContext,
  { missing, addressIn }: Answering,
): Promise<string> {
  const loaded = await readConfig(options, context);
  if (loaded === undefined) throw new StoreUnavailable('');
  const address = addressIn(loaded.config);
  if (address === undefined) throw new StoreUnavailable(missing);
  return addressOf(address);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
