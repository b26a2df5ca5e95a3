/** `npm run simulate:database`: are the numbers of the database poller true, whatever happens? */
import { parseArgs } from 'node:util';
import { builtSiphon } from '../support/processes/collector-process.ts';
import { simulateExactness } from './exactness.ts';
import { simulateShop } from './shop.ts';
import { simulateTakeover } from './takeover.ts';

const HELP = `npm run simulate:database -- [options]

  --only NAME    one of the three: exactness, takeover, shop
  --rows N       rows that the writers insert or update, in all (100000)
  --minutes N    over how long (6)
  --kills N      how often siphon is killed with SIGKILL (24)
  --writers N    at the same time (16)
  --seed N       chance comes again with the same seed, as far as the operating system allows (1)
  --help         this text

exactness: one siphon, everything killed, restarted and cut off; every number is compared with the truth that the
writers keep. takeover: three siphons and a fourth that comes later, whose leader is killed; a third of the rows and kills.
shop: partitions are attached, detached and rewritten, rows move, tables inherit, transactions are prepared, settings of
sessions change, the address leads to a standby that is behind, the server crashes, the standby is promoted. Half of the time.

On a PostgreSQL of its own, which is restarted twice; with SIPHON_TEST_POSTGRES_URL in a database of its own on that
server, whose sessions are ended twice instead. The shop always has two servers of its own. Ends with 0 if no number was ever wrong.
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '6' },
    kills: { type: 'string', default: '24' },
    writers: { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

// Stopping the simulation stops all programs that it started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const [rows, minutes, kills, writers, seed] = [
  options.rows,
  options.minutes,
  options.kills,
  options.writers,
  options.seed,
].map(Number) as [number, number, number, number, number];

if (options.help) process.stdout.write(HELP);
else if (
  [undefined, 'exactness', 'takeover', 'shop'].includes(options.only) &&
  rows > 0 &&
  minutes > 0 &&
  kills >= 0 &&
  writers > 0 &&
  Number.isInteger(seed)
)
  await simulate();
else {
  process.stderr.write(HELP);
  process.exitCode = 2;
}

async function simulate(): Promise<void> {
  const common = { program: builtSiphon, writers, seed, minutes, progress, staysMs: 10_000 };
  const times = Math.ceil(kills / 3);
  const shopAttacks = {
    kill: times,
    crash: 3,
    lag: times,
    settings: times,
    rewrite: Math.ceil(times / 2),
    attach: times,
    detach: times,
    move: times,
    inherit: Math.ceil(times / 2),
    disinherit: times,
  };
  const simulations = {
    exactness: () => simulateExactness({ ...common, rows, kills, restarts: 2, cuts: 6, phases: 4 }),
    takeover: () =>
      simulateTakeover({ ...common, rows: Math.ceil(rows / 3), kills: Math.ceil(kills / 3), minutes: minutes / 2 }),
    shop: () => simulateShop({ ...common, minutes: minutes / 2, phases: 3, attacks: shopAttacks }),
  };
  for (const [name, run] of Object.entries(simulations)) {
    if (options.only !== undefined && options.only !== name) continue;
    progress(`simulation of ${name}`);
    const verdict = await run();
    process.stdout.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
    if (!verdict.passed) process.exitCode = 1;
  }
}

function progress(line: string): void {
  process.stdout.write(`${new Date().toTimeString().slice(0, 8)} ${line}\n`);
}
