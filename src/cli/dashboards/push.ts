import { Secret } from '../../engine/schema/secret.ts';
import {
  EXIT_FAILURE,
  EXIT_OK,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from '../command.ts';
import { GrafanaClient, GrafanaError } from './grafana-client.ts';
import { pushAll } from './push-all.ts';
import { shippedDashboards } from './shipped.ts';

const DEFAULT_FOLDER = 'siphon';

export const pushDashboards: Command = {
  summary: 'bring the dashboards into a Grafana that is already there',
  optionLines: [
    '--url URL                    where Grafana is, as in a browser',
    '--token-env NAME             the variable that has the token of a service account with the role Editor',
    `--folder TITLE               made where it is missing; default ${DEFAULT_FOLDER}`,
  ],
  takes: ['url', 'token-env', 'folder'],
  readsConfig: false,
  async run(options, context) {
    const { url, tokenVariable, folder } = readOptions(options);
    try {
      const client = new GrafanaClient(url, readToken(tokenVariable, context));
      const dashboards = await shippedDashboards(context.dashboardsFolder);
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
  if (address === '') throw new UsageError('--url URL is missing');
  if (tokenVariable === '') throw new UsageError('--token-env NAME is missing');
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
  if (token === '') throw new GrafanaError(`the environment has no ${variable}, which --token-env names`);
  // What a header cannot carry would appear in an error.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new GrafanaError(`what ${variable} has is no token: it has spaces or other signs`);
  return new Secret(token);
}

function withSlash(url: URL): URL {
  return new URL(url.href.endsWith('/') ? url.href : `${url.href}/`);
}
