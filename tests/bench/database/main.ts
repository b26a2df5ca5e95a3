/** `npm run bench:database`: what polling costs on a large database, compared with other ways to query it. */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { shippedSql, statementsOf } from '../../../examples/postgres/shipped-sql.ts';
import { builtSiphon, CollectorProcess } from '../../support/processes/collector-process.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { runSql, startTestPostgres } from '../../support/postgres/test-postgres.ts';

import { generateDataSet, shapeOf } from '../../support/postgres/scraper-data-set.ts';
import { measureDrain, measureQueries, measureStatements, type Place } from './measure.ts';
import { firstQueries, fullCounts } from './other-ways.ts';
import { overBudget, report, type DatabaseBench } from './report.ts';
import { sessionsCpuShare } from './server-cpu.ts';
import { slowQueries } from './slow-queries.ts';
import { startWriter } from './writer.ts';
import { SERVER_PARAMETERS } from './server-parameters.ts';

const HELP = `npm run bench:database -- [options]

  --scale N      size of the data set (1: 10 M prices, 4 M artifacts, 200 k runs, 50 k variants)
  --seconds N    how long the queries are repeated, with the indexes and without (40)
  --quick        without the share of a core, which takes two and a half minutes
  --json FILE    write the numbers to this file as well
  --help         this text

On a PostgreSQL of its own, or in a database of its own on the server of SIPHON_TEST_POSTGRES_URL.
Ends with 1 if a number misses its budget.
`;

const BURST = 50_000;
const CPU_WARM_UP_MS = 10_000;
/** Each transaction writes ten prices. One hour writes a week of prices. */
const SCRAPING_TRANSACTIONS_PER_SECOND = 1.4;
const CPU_MS = 60_000;
const APPLICATION = 'siphon-bench';

const { values: options } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '40' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// Stopping the bench stops the programs under load too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (options.help) process.stdout.write(HELP);
else await bench(Number(options.scale), Number(options.seconds));

async function bench(scale: number, seconds: number): Promise<void> {
  if (!(scale > 0 && seconds > 0)) {
    process.stderr.write('--scale and --seconds must be above 0\n');
    process.exitCode = 2;
    return;
  }
  await using database = await startTestPostgres({ parameters: SERVER_PARAMETERS });
  const startedAt = performance.now();
  await generateDataSet(database.url, shapeOf(scale), progress);
  const generatedInSeconds = (performance.now() - startedAt) / 1000;
  const result: DatabaseBench = {
    server: String((await database.sql('show server_version'))[0]?.['server_version']),
    scale,
    generatedInSeconds,
    slowQueries: await slowQueries(),
    ...(await measureAll(database, seconds)),
  };
  process.stdout.write(`\n${report(result)}\n`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  process.exitCode = overBudget(result).length > 0 ? 1 : 0;
}

async function measureAll(
  place: Place,
  seconds: number,
): Promise<Omit<DatabaseBench, 'server' | 'scale' | 'generatedInSeconds' | 'slowQueries'>> {
  progress('every query without a writer');
  const idle = await measureQueries(place, { seconds: seconds / 2, isBusy: false });
  progress('every query while a writer is busy');
  const indexed = await measureQueries(place, { seconds, isBusy: true });
  progress(`a burst of ${BURST} prices`);
  const drain = await measureDrain(place, BURST);
  const cpuShare = options.quick ? {} : await measureCpu(place);
  progress('other ways');
  const others = {
    firstQueries: await measureStatements(place.url, firstQueries, 3),
    fullCounts: await measureStatements(place.url, fullCounts, 2),
  };
  progress('every query without the indexes, while a writer is busy');
  await dropIndexes(place.url);
  const unindexed = await measureQueries(place, { seconds, isBusy: true });
  return { idle, indexed, drain, cpuShare, ...others, unindexed };
}

/** Measures the built sidecar as users run it: both packs, all other settings by default. */
async function measureCpu({ url, pollerUrl }: Place): Promise<Record<string, number>> {
  const [port = 0] = await freePorts(1);
  const datasource = Object.assign(new URL(pollerUrl), { search: `?application_name=${APPLICATION}` }).href;
  await using stack = new AsyncDisposableStack();
  stack.use(
    await CollectorProcess.start(builtSiphon, {
      receivers: { db_poller: { datasource, packs: { scrape_pipeline: {}, postgres_health: {} } } },
      exporters: { prometheus: { endpoint: `127.0.0.1:${port}` } },
      service: {
        telemetry: { metrics: { level: 'none' } },
        pipelines: { metrics: { receivers: ['db_poller'], exporters: ['prometheus'] } },
      },
    }),
  );
  const shares: Record<string, number> = {};
  for (const when of ['idle', 'while a scraper works'] as const) {
    progress(`CPU for the poller over a minute, ${when}`);
    if (when !== 'idle') stack.use(await startWriter(url, SCRAPING_TRANSACTIONS_PER_SECOND));
    await sleep(CPU_WARM_UP_MS);
    const share = await sessionsCpuShare(url, APPLICATION, CPU_MS);
    if (share !== undefined) shares[when] = share;
  }
  return shares;
}

async function dropIndexes(url: string): Promise<void> {
  const undo = statementsOf(await shippedSql('scrape-pipeline-undo.sql'));
  for (const statement of undo) if (statement.startsWith('drop index')) await runSql(url, statement);
}

function progress(line: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${line}\n`);
}
