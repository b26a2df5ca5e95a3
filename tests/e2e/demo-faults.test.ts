import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askDatabase } from '../../examples/coffee/database/database-truth.ts';
import type { Fault } from '../../examples/coffee/fault.ts';
import { scrape } from '../../examples/coffee/scrape-page.ts';
import { startDemo, type Demo } from '../../examples/coffee/start-demo.ts';
import type { Trace, TraceSummary } from '../../src/engine/stored-telemetry.ts';
import { waitFor } from '../support/wait-for.ts';

/** One demo for all of them, in turn, on a schedule that leaves no time to wait. */
describe('a fault of the demo', () => {
  let demo: Demo;

  beforeAll(async () => {
    demo = await startDemo({ fullRunEveryS: 5, priceRunEveryS: 1 });
    await grows('price_job_duration_seconds_count', { job_type: 'full' });
  });

  afterAll(async () => {
    await demo.stop();
  });

  it('price_spike is seen in the spike alerts', async () => {
    await during('price_spike', async () => await grows('price_spike_alerts_total', { roaster: 'blue-tokai' }, 100));
  });

  it('invalid_products is seen in the validation errors', async () => {
    await during('invalid_products', async () => {
      await grows('validation_errors_total', { platform: 'woocommerce', reason: 'missing_field' });
    });
  });

  it('rate_limit_storm is seen in the rate limit errors, and the jobs fail', async () => {
    await during('rate_limit_storm', async () => {
      await Promise.all([
        grows('rate_limit_errors_total', { service: 'blue-tokai' }, 3),
        grows('fetch_errors_total', { error_type: 'rate_limited' }, 3),
        grows('price_job_failures_total', { error_type: 'fetch' }),
      ]);
    });
  });

  it('store_down is seen in the fetch errors, and as errors in the sink', async () => {
    const before = demo.sink.errors().length;
    await during('store_down', async () => {
      await grows('fetch_errors_total', { error_type: 'connection' });
      await waitFor(() => demo.sink.errors().slice(before).some(says('cannot fetch page 1 of ')), {
        what: 'the error in the sink',
      });
    });
  });

  it('slow_store is seen in the fetch latency', async () => {
    await during('slow_store', async () => await changes('fetches of more than 1 s', slowFetches));
  });

  it('hanging_transaction is seen as failed queries and jobs, and as an error in the sink', async () => {
    const before = demo.sink.errors().length;
    await during('hanging_transaction', async () => {
      await Promise.all([
        grows('database_queries_total', { success: 'false' }),
        grows('price_job_failures_total', { error_type: 'database' }),
        waitFor(async () => await namesBlockingTrace(demo.ports.store), {
          what: 'the trace of the blocking transaction',
          timeoutMs: 45_000,
        }),
      ]);
    });
    await waitFor(() => demo.sink.errors().slice(before).some(says('statement timeout')), {
      what: 'the error in the sink',
    });
    await grows('price_job_success_total');
  });

  it('database_stopped is seen in the poller\u2019s errors, its series go, and everything comes back', async () => {
    await during('database_stopped', async () => {
      await changes('errors of the poller', pollerErrors);
      await waitFor(async () => (await page()).seriesCount('variants') === 0, { what: 'the end of the series' });
    });
    await waitFor(async () => (await page()).seriesCount('variants') > 0, { what: 'the series', timeoutMs: 45_000 });
    await grows('price_job_success_total');
  });

  it('sidecar_killed does not touch the pipeline, and nothing that it counted is lost', async () => {
    const before = (await page()).sum('price_job_duration_seconds_count') ?? 0;
    await during('sidecar_killed', async () => {
      await expect(page()).rejects.toThrow('fetch failed');
      const runs = demo.runs.latest.length;
      await waitFor(() => demo.runs.latest.length > runs + 2, { what: 'runs without a sidecar' });
      const errors = demo.runs.latest.slice(runs).flatMap((run) => run.errors);
      expect(errors.filter((message) => !isHiccup(message))).toEqual([]);
    });
    await waitFor(async () => ((await page()).sum('price_job_duration_seconds_count') ?? 0) > before, {
      what: 'what was counted meanwhile',
    });
  });

  it('leaves the counters as the database has it, when all of them are over', async () => {
    await demo.endPipeline();
    const { artifacts, prices, changes: changed, runs } = await askDatabase(demo.databaseUrl);
    const expected = { artifacts, prices, changed, runs };
    await waitFor(async () => JSON.stringify(await counted()) === JSON.stringify(expected), {
      what: `the counters of ${JSON.stringify(expected)}; there is ${JSON.stringify(await counted())}`,
      timeoutMs: 5000,
    });
    expect(demo.sink.problems()).toEqual([]);
  });

  async function counted() {
    const now = await page();
    return {
      artifacts: now.sum('artifacts_total'),
      prices: now.sum('price_deltas_total'),
      changed: now.sum('price_changes_total'),
      runs: now.sum('rpc_operations_total', { rpc: 'rpc_scrape_run_start', outcome: 'ok' }),
    };
  }

  async function during(fault: Fault, observe: () => Promise<unknown>): Promise<void> {
    await demo.setFault(fault, true);
    try {
      await observe();
    } finally {
      await demo.setFault(fault, false);
    }
  }

  async function page() {
    return await scrape(demo.ports.scrape);
  }

  async function slowFetches(): Promise<number> {
    const now = await page();
    const all = now.sum('fetch_latency_seconds_count') ?? 0;
    return all - (now.sum('fetch_latency_seconds_bucket', { le: '1' }) ?? 0);
  }

  async function pollerErrors(): Promise<number> {
    return (await scrape(demo.ports.telemetry)).sum('siphon_db_poller_errors', { reason: 'connection' }) ?? 0;
  }

  /** Waits for an increase that the built-in hiccups of the shops cannot explain. */
  async function grows(name: string, labels: Record<string, string> = {}, by = 1): Promise<void> {
    await changes(`${name} ${JSON.stringify(labels)}`, async () => (await page()).sum(name, labels) ?? 0, by);
  }
});

async function changes(what: string, read: () => Promise<number>, by = 1): Promise<void> {
  const before = await read();
  await waitFor(async () => (await read()) >= before + by, { what: `more ${what}` });
}

function says(text: string) {
  return ({ exception }: ReturnType<Demo['sink']['errors']>[number]): boolean =>
    exception.values.some(({ value }) => value.includes(text));
}

/** The shops fail now and then without any fault. */
function isHiccup(message: string): boolean {
  return message.endsWith(': 502');
}

/** True if a statement of the pipeline names the transaction of the back office. */
async function namesBlockingTrace(port: number): Promise<boolean> {
  const store = `http://127.0.0.1:${port}/api/traces`;
  const failed = await fetch(`${store}?service=coffee-pipeline&status=error&limit=5`);
  const { traces } = (await failed.json()) as { readonly traces: readonly TraceSummary[] };
  for (const { traceId } of traces) {
    const { lockWaits } = (await (await fetch(`${store}/${traceId}`)).json()) as Trace;
    const [wait] = lockWaits;
    if (wait?.blocker.transaction?.service !== 'back-office') continue;
    expect(wait).toMatchObject({ blocker: { application: 'siphon-demo-hanging', state: 'idle in transaction' } });
    expect(wait.blocker.transaction.lastStatement.text).toMatch(/^update variants /);
    return true;
  }
  return false;
}
