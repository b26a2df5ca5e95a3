/** `npm run bench:large-tables`: what a counter of a user costs on a table with ten million rows. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startTestPostgres } from '../../support/postgres/test-postgres.ts';
import { measureLargeTables, type LargeTables } from './large-tables.ts';
import { SERVER_PARAMETERS } from './server-parameters.ts';

const HELP = `npm run bench:large-tables -- [options]

  --rows N       rows of each table (10000000)
  --json         print the numbers as JSON
  --help         this text

On a PostgreSQL of its own, or in a database of its own on the server of SIPHON_TEST_POSTGRES_URL.
Ends with 1 if a number misses its budget.
`;

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

// Stopping the bench stops the programs under load too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (options.help) process.stdout.write(HELP);
else await bench(Number(options.rows));

async function bench(rows: number): Promise<void> {
  await using database = await startTestPostgres({ schema: false, parameters: SERVER_PARAMETERS });
  const measured = await measureLargeTables(database.url, rows, (line) =>
    process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${line}\n`),
  );
  const lines = linesOf(measured);
  const text = lines.map(({ what, value, budget, isMissed }) => `| ${what} | ${value.toFixed(1)}${isMissed ? ' (over)' : ''} | ${budget} |`); // prettier-ignore
  process.stdout.write(
    options.json
      ? `${JSON.stringify(measured, undefined, 2)}\n`
      : `| measure | value | budget |\n| --- | --: | --: |\n${text.join('\n')}\nload of the machine: ${loadavg()[0]!.toFixed(1)}\n`,
  );
  if (lines.some(({ isMissed }) => isMissed)) process.exitCode = 1;
}

interface Line {
  readonly what: string;
  readonly value: number;
  readonly budget: string;
  readonly isMissed: boolean;
}

function linesOf({ rows, baseline, burst }: LargeTables): Line[] {
  return [
    most(`start with ${rows} existing rows, s`, baseline.seconds, 60),
    most('their keys on disk, MiB', baseline.diskMebibytes, 400),
    most('their keys in memory, MiB', baseline.residentMebibytes, 64),
    { what: 'most memory during the start, MiB', value: baseline.peakMebibytes, budget: '', isMissed: false },
    {
      what: `a burst of ${rows} rows, rows/s`,
      value: burst.rowsPerSecond,
      budget: '≥ 50000',
      isMissed: burst.rowsPerSecond < 50_000,
    },
    most('longest transaction of siphon during the burst, ms', burst.longestPollMs, 500),
    most('longest transaction for one row after the burst, ms', burst.laterPollMs, 500),
    { what: 'CPU of siphon for a row of the burst, µs', value: burst.siphonMicroseconds, budget: '', isMissed: false },
  ];
}

function most(what: string, value: number, budget: number): Line {
  return { what, value, budget: `≤ ${budget}`, isMissed: value > budget };
}
