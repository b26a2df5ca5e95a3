import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../../src/engine/config/load-config.ts';
import type { LockWait, Trace } from '../../../../src/engine/stored-telemetry.ts';
import { Collector } from '../../../../src/engine/pipeline/collector.ts';
import { componentFactories } from '../../../../src/components/index.ts';
import { packs } from '../../../../src/packs/index.ts';
import { logLines } from '../../../support/components/log-lines.ts';
import { freePorts } from '../../../support/network/free-ports.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { runObservedFile } from '../../../support/processes/observed-script.ts';
import { waitFor } from '../../../support/wait-for.ts';

/** `npm run simulate:blocked` plants a thousand. */
const WAITS = Number(process.env['SIPHON_BLOCKED_WAITS'] ?? 24);
const CONCURRENCY = 12;
const script = new URL('../../../support/clients/plant-waits.mjs', import.meta.url).pathname;

interface Planted {
  readonly kind: string;
  readonly waiter: string;
  readonly blocker: string;
  readonly ms: number;
}

it(
  `links each of ${WAITS} waits with the transaction that held the lock`,
  async () => {
    await using postgres = await startTestPostgres({ schema: false, parameters: { deadlock_timeout: '2500ms' } });
    await postgres.sql(
      `create table planted as select id, 0 as changes from generate_series(0, ${2 * WAITS + 10}) id;
       alter table planted add primary key (id)`,
    );
    await using sidecar = await Sidecar.start(postgres, '{ look_interval: 1s }');
    await using run = await runObservedFile([script, postgres.url, String(WAITS), String(CONCURRENCY)], {
      OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlp,
    });
    expect(run.stderr).toBe('');
    const planted = run.stdout.trim().split('\n').map((line) => JSON.parse(line) as Planted); // prettier-ignore
    expect(planted.length).toBeGreaterThanOrEqual(WAITS - 1);
    const problems: unknown[] = [];
    for (const one of planted) {
      const { lockWaits } = await sidecar.trace(one.waiter);
      const found = lockWaits.map(({ blocker }) => blocker.transaction?.traceId);
      if (found.length !== 1 || found[0] !== one.blocker) problems.push({ ...one, found, lockWaits });
      for (const wait of lockWaits) if (!isPossible(wait, one)) problems.push({ ...one, wait });
    }
    expect(problems).toEqual([]);
  },
  60_000 + 1000 * WAITS,
);

it('sees a wait of a few seconds without settings', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await postgres.sql('create table held (n int)');
  await using sidecar = await Sidecar.start(postgres, '{}');
  const [holder, waiter] = [1, 2].map(() => new Client({ connectionString: postgres.url })) as [Client, Client];
  await Promise.all([holder.connect(), waiter.connect()]);
  await holder.query('begin; lock table held');
  const waiting = waiter.query('select from held');
  await delay(3000);
  await holder.query('rollback');
  await waiting;
  await Promise.all([holder.end(), waiter.end()]);
  await waitFor(async () => (await sidecar.lines()).some((line) => /^process \d+ waited for process \d+/.test(line)), { what: 'the record' }); // prettier-ignore
});

function isPossible({ waitedMs, waitedAtMostMs }: LockWait, { ms }: Planted): boolean {
  return waitedMs > 0 && waitedMs <= ms + 5 && waitedMs <= waitedAtMostMs;
}

/** A sidecar in this process, that polls the database and keeps what the service sends. */
class Sidecar implements AsyncDisposable {
  readonly otlp: string;
  readonly #store: string;
  readonly #collector: Collector;

  static async start(postgres: TestPostgres, lockWaits: string): Promise<Sidecar> {
    const [otlp, store] = (await freePorts(2)) as [number, number];
    const text = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${otlp}" } } }
  db_poller:
    datasource: ${JSON.stringify(postgres.pollerUrl)}
    initial_delay: 0s
    leader_election: { enabled: false }
    packs: { postgres_health: }
    lock_waits: ${lockWaits}
exporters:
  telemetry_store: { endpoint: "127.0.0.1:${store}" }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [telemetry_store] }
    metrics: { receivers: [otlp, db_poller], exporters: [telemetry_store] }
    logs: { receivers: [otlp, db_poller], exporters: [telemetry_store] }`;
    const factories = componentFactories(packs);
    const { config } = await loadConfig({ sources: [{ name: 'a.yaml', text }], sets: [], environment: {}, factories });
    const collector = new Collector(config, { version: '0', logger: logLines().logger });
    await collector.start();
    return new Sidecar(collector, otlp, store);
  }

  private constructor(collector: Collector, otlp: number, store: number) {
    this.#collector = collector;
    this.otlp = `http://127.0.0.1:${otlp}`;
    this.#store = `http://127.0.0.1:${store}`;
  }

  async lines(): Promise<readonly string[]> {
    const answer = await fetch(`${this.#store}/api/logs`);
    return ((await answer.json()) as { readonly logs: { readonly body: string }[] }).logs.map(({ body }) => body);
  }

  async trace(id: string): Promise<Trace> {
    return await waitFor(
      async () => {
        const answer = await fetch(`${this.#store}/api/traces/${id}`);
        return answer.ok && ((await answer.json()) as Trace);
      },
      { what: `trace ${id}` },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector.shutdown(AbortSignal.timeout(5000));
  }
}
