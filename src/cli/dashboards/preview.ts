import { once } from 'node:events';
import { parseDuration } from '../../engine/schema/duration.ts';
import {
  EXIT_FAILURE,
  EXIT_OK,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from '../command.ts';
import { whenNpmEnds } from '../npm-launcher.ts';
import { choosePacks, packOptionLines, packOptions } from './chosen-packs.ts';

const DEFAULT_PROMETHEUS = 'http://127.0.0.1:9090';
const DEFAULT_SCRAPE_INTERVAL = '15s';

export const previewDashboards: Command = {
  summary: 'show the dashboards in a browser, without Grafana, until SIGTERM or SIGINT',
  optionLines: [
    `--prometheus URL             the Prometheus that is queried; default ${DEFAULT_PROMETHEUS}`,
    '--port PORT                  port of the page on 127.0.0.1; default: a free one',
    `--scrape-interval DURATION   how often Prometheus scrapes siphon; default ${DEFAULT_SCRAPE_INTERVAL}`,
    '--sentry URL                 address of the organisation in Sentry; exemplars then link to it',
    ...packOptionLines,
  ],
  takes: ['prometheus', 'port', 'scrape-interval', 'sentry'],
  takesMany: packOptions,
  example: 'siphon dashboards preview --prometheus http://127.0.0.1:9090',
  exitsOneIf: 'if a pack cannot be loaded or the port is in use',
  readsConfig: false,
  async run(options, context) {
    const settings = readOptions(options);
    // Before the start, so that a signal during the start ends the command too.
    const end = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), endOfNpm(context)]);
    try {
      const [{ all, chosen }, { dashboardModels }] = await Promise.all([
        choosePacks(options, context),
        import('../../dashboards/model/dashboard-model.ts'),
      ]);
      const uids = new Set<string>(chosen.dashboards.map(({ uid }) => uid));
      const dashboards = dashboardModels(all.dashboards).filter(({ uid }) => uids.has(uid));
      if (dashboards.length === 0) throw new UsageError('the chosen packs have no dashboard');
      const preview = await context.startPreview({ ...settings, dashboards });
      context.print(`${preview.url}/`);
      await end;
      await preview.close();
      return EXIT_OK;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      context.printError(code === 'EADDRINUSE' ? `port ${settings.port} is already in use` : message);
      return EXIT_FAILURE;
    }
  },
};

async function endOfNpm({ environment }: CommandContext): Promise<void> {
  await new Promise<void>((resolve) => whenNpmEnds(environment, resolve));
}

interface PreviewOptions {
  readonly prometheus: URL;
  readonly port: number;
  readonly scrapeS: number;
  readonly sentry?: URL;
}

function readOptions({ given }: CommandOptions): PreviewOptions {
  const { port = '0', 'scrape-interval': interval = DEFAULT_SCRAPE_INTERVAL, sentry } = given;
  const scrapeMs = parseDuration(interval);
  if (scrapeMs === undefined || scrapeMs < 1000)
    throw new UsageError('--scrape-interval must be a duration such as 15s');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError('--port must be a number from 0 to 65535');
  return {
    prometheus: address('prometheus', given['prometheus'] ?? DEFAULT_PROMETHEUS),
    port: Number(port),
    scrapeS: scrapeMs / 1000,
    ...(sentry !== undefined && { sentry: address('sentry', sentry) }),
  };
}

function address(option: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--${option} must be an address such as ${DEFAULT_PROMETHEUS}`);
  }
  return url;
}
