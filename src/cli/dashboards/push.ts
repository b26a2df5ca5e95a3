import { isLoopback } from '../../engine/net/announce.ts';
import { Secret } from '../../engine/schema/secret.ts';
import {
  EXIT_FAILURE,
  EXIT_OK,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from '../command.ts';
import { choosePacks, dashboardFiles, packOptionLines, packOptions, type DashboardFile } from './chosen-packs.ts';
import { GrafanaClient, GrafanaError } from './grafana-client.ts';
import { pushAll } from './push-all.ts';

const DEFAULT_FOLDER = 'siphon';

export const pushDashboards: Command = {
  summary: 'upload the dashboards to an existing Grafana',
  optionLines: [
    '--url URL                    address of Grafana, as in a browser',
    '--token-env NAME             environment variable holding a service-account token (Editor role)',
    `--folder TITLE               folder in Grafana; created if missing; default ${DEFAULT_FOLDER}`,
    ...packOptionLines,
  ],
  takes: ['url', 'token-env', 'folder'],
  takesMany: packOptions,
  example: 'siphon dashboards push --url https://grafana.example.com --token-env TOKEN --pack ./shop-pack.ts',
  exitsOneIf: 'if a pack cannot be loaded or Grafana refuses a dashboard',
  readsConfig: false,
  async run(options, context) {
    const { url, tokenVariable, folder } = readOptions(options);
    let dashboards: readonly DashboardFile[];
    try {
      dashboards = await dashboardFiles(await choosePacks(options, context));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      context.printError(error instanceof Error ? error.message : String(error));
      return EXIT_FAILURE;
    }
    if (url.protocol === 'http:' && !isLoopback(url.hostname.replaceAll(/[[\]]/g, ''))) {
      context.printError(
        `warning: ${url.origin} is not encrypted: others on the network can read the token. Use https://`,
      );
    }
    try {
      const client = new GrafanaClient(url, readToken(tokenVariable, context));
      const pushed = await pushAll(client, dashboards, folder);
      for (const { uid, result } of pushed)
        context.print(`${result.padEnd(9)} ${new URL(`d/${uid}`, withSlash(url)).href}`);
      return EXIT_OK;
    } catch (error) {
      if (!(error instanceof GrafanaError)) throw error;
      context.printError(error.message);
      return EXIT_FAILURE;
    }
  },
};

interface PushOptions {
  readonly url: URL;
  readonly tokenVariable: string;
  readonly folder: string;
}

function readOptions({ given }: CommandOptions): PushOptions {
  const { url: address = '', 'token-env': tokenVariable = '', folder = DEFAULT_FOLDER } = given;
  if (address === '') throw new UsageError('--url URL is required');
  if (tokenVariable === '') throw new UsageError('--token-env NAME is required');
  if (folder === '') throw new UsageError('--folder must not be empty');
  const url = URL.parse(address);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new UsageError('--url must be an address such as https://grafana.example.com, without credentials');
  }
  url.search = '';
  url.hash = '';
  return { url, tokenVariable, folder };
}

function readToken(variable: string, { environment }: CommandContext): Secret {
  const token = environment[variable]?.trim() ?? '';
  if (token === '') throw new GrafanaError(`environment variable ${variable} (from --token-env) is not set`);
  // Other characters are not allowed in a header, and the error of fetch would contain the token.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new GrafanaError(`${variable} does not look like a token: it contains spaces or control characters`);
  return new Secret(token);
}

function withSlash(url: URL): URL {
  return new URL(url.href.endsWith('/') ? url.href : `${url.href}/`);
}
