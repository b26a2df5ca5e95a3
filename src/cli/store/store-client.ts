import { describeError } from '../../engine/describe-error.ts';
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

/** Asks the `telemetry_store` of a running sidecar. */
export class StoreClient {
  readonly #base: URL;
  readonly #client = new HttpClient({ tls: { rejectUnauthorized: false }, maxAnswerBytes: MAX_ANSWER_BYTES });

  private constructor(base: URL) {
    this.#base = base;
  }

  /** @throws UsageError, or StoreUnavailable if the configuration has no store or is wrong. */
  static async of(options: CommandOptions, context: CommandContext): Promise<StoreClient> {
    const given = options.given['url'];
    if (given !== undefined && !URL.canParse(given)) throw new UsageError('--url must be a URL');
    return new StoreClient(new URL(given ?? (await configuredAddress(options, context))));
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
    if (status !== 200 || answer === undefined) throw this.#refusal(status, answer);
    return answer as T;
  }

  close(): void {
    this.#client.close();
  }

  #refusal(status: number, answer: unknown): UsageError | StoreUnavailable {
    const { error } = (answer ?? {}) as { readonly error?: string };
    if (error === undefined) {
      return new StoreUnavailable(`${this.#base.origin} is not a telemetry_store: it answers with status ${status}`);
    }
    // The names of the options have a hyphen.
    if (status === 400) return new UsageError(error.replaceAll(/\b(min|max)_duration\b/g, '--$1-duration'));
    return new StoreUnavailable(error, { isAbsent: status === 404 });
  }

  async #get(url: URL): Promise<{ readonly status: number; readonly body: Buffer }> {
    const { username, password } = this.#base;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      'base64',
    );
    const headers: Record<string, string> = username === '' ? {} : { authorization: `Basic ${credentials}` };
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

const MISSING = [
  'the configuration has no telemetry_store in a pipeline',
  'Add telemetry_store to `exporters`, and to the exporters of the pipelines of traces, logs and metrics',
].join('\n');

async function configuredAddress(options: CommandOptions, context: CommandContext): Promise<string> {
  const loaded = await readConfig(options, context);
  if (loaded === undefined) throw new StoreUnavailable('');
  const { exporters, service } = loaded.config;
  const used = new Set(service.pipelines.flatMap((pipeline) => pipeline.exporters));
  const found = [...exporters].find(([id, { factory }]) => factory.type === 'telemetry_store' && used.has(id));
  if (found === undefined) throw new StoreUnavailable(MISSING);
  return addressOf(found[1].config as ServerAddress);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
