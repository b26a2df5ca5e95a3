import type { CollectorConfig } from '../engine/collector-config.ts';
import { HttpClient } from '../engine/net/http-client.ts';
import { EXIT_FAILURE, EXIT_OK, UsageError, type Command } from './command.ts';
import { addressOf, type ServerAddress } from './component-address.ts';
import { readConfig } from './read-config.ts';

const TIMEOUT_MS = 5000;

export const health: Command = {
  summary: 'ask a running sidecar whether it is healthy: exit 0 if it is, otherwise 1',
  optionLines: [
    '--url URL                    the address of its health_check, instead of the one in the configuration',
  ],
  takes: ['url'],
  example: 'siphon health --url http://127.0.0.1:13133/',
  exitsOneIf: 'if the sidecar is not healthy or does not answer',
  readsConfig: true,
  async run(options, context) {
    const given = options.given['url'];
    if (given !== undefined && !URL.canParse(given)) throw new UsageError('--url must be a URL');
    const loaded = given === undefined ? await readConfig(options, context) : undefined;
    const url = given ?? (loaded && healthUrl(loaded.config));
    if (url === undefined) {
      if (loaded !== undefined) context.printError('The configuration has no health_check in service::extensions');
      return EXIT_FAILURE;
    }
    try {
      const status = await statusOf(new URL(url));
      if (status !== 200) throw new Error(`status ${status}`);
      context.print(`${url} is healthy`);
      return EXIT_OK;
    } catch (error) {
      context.printError(`${url} is not healthy: ${reasonOf(error)}`);
      return EXIT_FAILURE;
    }
  },
};

/** The address of the first `health_check` in `service::extensions`. */
function healthUrl({ extensions, service }: CollectorConfig): string | undefined {
  const found = service.extensions
    .map((id) => extensions.get(id))
    .find((extension) => extension?.factory.type === 'health_check');
  if (found === undefined) return undefined;
  const address = found.config as ServerAddress & { readonly path: string };
  return `${addressOf(address)}${address.path}`;
}

/** The certificate may be for the name of the machine, so it is not checked: no secret is sent. */
async function statusOf(url: URL): Promise<number> {
  const client = new HttpClient({ tls: { rejectUnauthorized: false } });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const request = { method: 'GET', url, headers: {}, chunks: [], timeoutMs: TIMEOUT_MS, signal };
    return (await client.post(request, { follows: false })).status;
  } finally {
    client.close();
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
