/** `npm run dashboards:preview`: the dashboards in a browser, without a Grafana. */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { plain } from '../../dashboards/model/plain.ts';
import { packs } from '../../packs/index.ts';
import { loadPacks } from '../../packs/load.ts';
import { importPack } from '../../packs/pack-file.ts';
import { secondsOf } from '../duration.ts';
import { startPreview } from './server.ts';

const help = `npm run dashboards:preview -- [--prometheus URL] [--port PORT] [--scrape-interval DURATION] [--sentry URL]
                                 [--pack FILE]...
  --prometheus       the Prometheus that is asked (http://127.0.0.1:9090)
  --port             where the page is served on 127.0.0.1 (a free one)
  --scrape-interval  how often it scrapes siphon (15s)
  --sentry           where traces are, such as https://organisation.sentry.io (then exemplars lead there)
  --pack             a module whose default export is a pack; may be repeated (the packs that siphon ships)`;

const { values: options } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    port: { type: 'string', default: '0' },
    'scrape-interval': { type: 'string', default: '15s' },
    sentry: { type: 'string' },
    pack: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (options.help) process.stdout.write(`${help}\n`);
else await start();

async function start(): Promise<void> {
  const scrapeS = secondsOf(options['scrape-interval']);
  if (scrapeS === undefined)
    return fail(`--scrape-interval is a duration such as 15s, not ${options['scrape-interval']}`);
  if (!isAddress(options.prometheus))
    return fail(`--prometheus is the address of a Prometheus, not ${options.prometheus}`);
  if (options.sentry !== undefined && !isAddress(options.sentry))
    return fail(`--sentry is the address of your organisation in Sentry, not ${options.sentry}`);
  if (!/^\d{1,5}$/.test(options.port) || Number(options.port) > 65_535)
    return fail(`--port is not a port: ${options.port}`);
  const { dashboards } = await loadPacks(
    options.pack === undefined ? packs : await Promise.all(options.pack.map(importPack)),
  );
  const prometheus = new URL(options.prometheus);
  const server = await startPreview({
    prometheus,
    dashboards: plain(dashboards),
    scrapeS,
    sentry: options.sentry === undefined ? undefined : new URL(options.sentry),
    port: Number(options.port),
  });
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
}

function isAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}
