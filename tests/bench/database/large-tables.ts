import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePorts } from '../../support/network/free-ports.ts';
import { builtSiphon, CollectorProcess } from '../../support/processes/collector-process.ts';
import { runSql } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';
import { cpuMicroseconds, peakMebibytes, residentMebibytes } from '../process-usage.ts';

/** The cost of one counter of a user on a table with many rows, measured on the built sidecar with its defaults. */
export interface LargeTables {
  readonly rows: number;
  /** The table has these rows when counting starts. Their keys are UUIDs. */
  readonly baseline: {
    readonly seconds: number;
    readonly diskMebibytes: number;
    /** The resident memory, less that of the same sidecar with an empty table: `SETTLED_MS` after it is done, and at its peak. */
    readonly residentMebibytes: number;
    readonly peakMebibytes: number;
  };
  /** One transaction inserts these rows while siphon counts. */
  readonly burst: {
    readonly rowsPerSecond: number;
    /** The longest transaction of siphon until all rows were counted. */
    readonly longestPollMs: number;
    /** CPU time of siphon for each row. */
    readonly siphonMicroseconds: number;
    /** The longest transaction of siphon when one more row is inserted after the burst. */
    readonly laterPollMs: number;
  };
}

const APPLICATION = 'siphon-large-tables';
const LONGEST_MS = 3_600_000;
const SAMPLE_EVERY_MS = 10;
/** An idle sidecar gives memory back within half a minute. */
const SETTLED_MS = 45_000;
/** Polls after the burst, each with one new row. */
const LATER_ROWS = 5;

/** @param url of a role that may create tables. */
export async function measureLargeTables(
  url: string,
  rows: number,
  progress: (line: string) => void,
): Promise<LargeTables> {
  await runSql(
    url,
    `
    create table sessions (id uuid primary key default gen_random_uuid(), created_at timestamptz not null default now());
    create index on sessions (created_at)`,
  );
  progress(`a counter on an empty table`);
  const empty = await measureBaseline(url);
  progress(`a counter on ${rows} rows`);
  await runSql(url, `insert into sessions select from generate_series(1, ${rows})`);
  await runSql(url, 'vacuum analyze sessions');
  const full = await measureBaseline(url);
  await runSql(url, 'drop table sessions');
  progress(`a burst of ${rows} rows`);
  return {
    rows,
    baseline: {
      seconds: full.seconds,
      diskMebibytes: full.diskMebibytes,
      residentMebibytes: full.residentMebibytes - empty.residentMebibytes,
      peakMebibytes: full.peakMebibytes - empty.peakMebibytes,
    },
    burst: await measureBurst(url, rows),
  };
}

async function measureBaseline(url: string): Promise<LargeTables['baseline']> {
  const startedAt = performance.now();
  await using sidecar = await Sidecar.start(url, 'sessions');
  await waitFor(async () => (await sidecar.own('counting_since_timestamp_seconds')) !== undefined, {
    what: 'the baseline',
    timeoutMs: LONGEST_MS,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  await sleep(SETTLED_MS);
  return {
    seconds,
    diskMebibytes: await sidecar.diskMebibytes(),
    residentMebibytes: residentMebibytes(sidecar.pid),
    peakMebibytes: peakMebibytes(sidecar.pid),
  };
}

async function measureBurst(url: string, rows: number): Promise<LargeTables['burst']> {
  await runSql(
    url,
    `
    create table orders (id bigint generated always as identity primary key, country text default 'de', created_at timestamptz not null default now());
    create index on orders (created_at)`,
  );
  await using sidecar = await Sidecar.start(url, 'orders');
  await waitFor(async () => (await sidecar.own('counting_since_timestamp_seconds')) !== undefined, {
    what: 'counting',
  });
  await runSql(url, `insert into orders (country) select 'de' from generate_series(1, ${rows})`);
  const cpu = cpuMicroseconds(sidecar.pid);
  const startedAt = performance.now();
  await using draining = await LongestTransaction.watch(url);
  await sidecar.counts(rows);
  const seconds = (performance.now() - startedAt) / 1000;
  const siphonMicroseconds = (cpuMicroseconds(sidecar.pid) - cpu) / rows;
  const longestPollMs = draining.takeLongestMs();
  await sleep(2000);
  draining.takeLongestMs();
  for (let one = 1; one <= LATER_ROWS; one++) {
    await runSql(url, 'insert into orders default values');
    await sidecar.counts(rows + one);
  }
  return { rowsPerSecond: rows / seconds, longestPollMs, siphonMicroseconds, laterPollMs: draining.takeLongestMs() };
}

/** The age of the oldest transaction of siphon, sampled. */
class LongestTransaction implements AsyncDisposable {
  readonly #client: Client;
  readonly #sampling: Promise<void>;
  #isOver = false;
  #longestMs = 0;

  static async watch(url: string): Promise<LongestTransaction> {
    const client = new Client({ connectionString: url });
    await client.connect();
    return new LongestTransaction(client);
  }

  private constructor(client: Client) {
    this.#client = client;
    this.#sampling = this.#sample();
  }

  takeLongestMs(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#sampling;
    await this.#client.end();
  }

  async #sample(): Promise<void> {
    while (!this.#isOver) {
      const { rows } = await this.#client.query<{ ms: number | null }>(
        `select max(extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as ms
         from pg_stat_activity where application_name = '${APPLICATION}'`,
      );
      this.#longestMs = Math.max(this.#longestMs, rows[0]?.ms ?? 0);
      await sleep(SAMPLE_EVERY_MS);
    }
  }
}

/** The built siphon with one counter and a storage of its own. */
class Sidecar implements AsyncDisposable {
  readonly #process: CollectorProcess;
  readonly #directory: string;
  readonly #pagePort: number;
  readonly #telemetryPort: number;

  static async start(url: string, table: string): Promise<Sidecar> {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-large-tables-'));
    const [pagePort = 0, telemetryPort = 0] = await freePorts(2);
    const datasource = Object.assign(new URL(url), { search: `?application_name=${APPLICATION}` }).href;
    const queries = [
      { name: table, kind: 'counter', metric_name: table, table: `public.${table}`, time_column: 'created_at' },
    ];
    const process = await CollectorProcess.start(builtSiphon, {
      receivers: { db_poller: { datasource, storage: 'file_storage', initial_delay: '0s', queries } },
      exporters: { prometheus: { endpoint: `127.0.0.1:${pagePort}` } },
      extensions: { file_storage: { directory } },
      service: {
        extensions: ['file_storage'],
        telemetry: {
          metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: telemetryPort } } } }] },
        },
        pipelines: { metrics: { receivers: ['db_poller'], exporters: ['prometheus'] } },
      },
    });
    return new Sidecar(process, { directory, pagePort, telemetryPort });
  }

  private constructor(
    process: CollectorProcess,
    place: { directory: string; pagePort: number; telemetryPort: number },
  ) {
    this.#process = process;
    this.#directory = place.directory;
    this.#pagePort = place.pagePort;
    this.#telemetryPort = place.telemetryPort;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async counts(rows: number): Promise<void> {
    const what = `${rows} orders to be counted\n${this.#process.logTail}`;
    await waitFor(async () => (await valueOf(this.#pagePort, 'orders_total{')) === rows, {
      what,
      timeoutMs: LONGEST_MS,
    });
  }

  /** Undefined while it is not shown. */
  async own(metric: string): Promise<number | undefined> {
    return await valueOf(this.#telemetryPort, `siphon_db_poller_${metric}{`);
  }

  async diskMebibytes(): Promise<number> {
    const files = await readdir(this.#directory);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(this.#directory, file))).size));
    return sizes.reduce((sum, size) => sum + size, 0) / 1024 / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function valueOf(port: number, prefix: string): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const line = (await response.text()).split('\n').find((one) => one.startsWith(prefix));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf('} ') + 2).split(' ', 1)[0]);
}
