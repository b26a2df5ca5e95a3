import { describe, expect, it } from 'vitest';
import { PrometheusServer, prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { SdkRun } from './prometheus-sdk.ts';

const ONE = { job: 'roaster', instance: 'one' };
const TWO = { job: 'roaster', instance: 'two' };
const BAGS = 'bags_total{instance="one"}';

describe.skipIf(prometheusMissing)(`a series in Prometheus ${prometheusMissing ?? ''}`, { concurrent: true }, () => {
  it('ends when its service has been silent for metric_expiration, and no other with it', async () => {
    await using sidecar = await Sidecar.start({ sets: ['exporters.prometheus.metric_expiration=2s'] });
    await using silent = new SdkRun(sidecar.otlpHttp, ONE);
    await using lasting = new SdkRun(sidecar.otlpHttp, TWO);
    await Promise.all([silent.fill(1), lasting.fill(1)]);
    await using prometheus = await PrometheusServer.start([host(sidecar)]);
    await waitFor(
      async () => {
        await Promise.all([silent.send(), lasting.send()]);
        return (await prometheus.query('count(bags_total)'))[0]?.value[1] === '2';
      },
      { what: 'both series' },
    );

    await waitFor(
      async () => {
        await lasting.send();
        return (await prometheus.query(BAGS)).length === 0;
      },
      { what: 'the end of the silent series' },
    );
    expect(await prometheus.query('bags_total')).toMatchObject([{ metric: TWO, value: [expect.any(Number), '1'] }]);
    expect(await prometheus.targets()).toEqual([{ health: 'up', lastError: '' }]);
  });

  it('is reset once, and loses no increase, when its service starts again', async () => {
    await using sidecar = await Sidecar.start();
    await using prometheus = await PrometheusServer.start([host(sidecar)]);
    {
      await using run = new SdkRun(sidecar.otlpHttp, ONE);
      await fillAndSee(prometheus, run, { bags: 10, total: 10 });
      await fillAndSee(prometheus, run, { bags: 4, total: 14 });
    }
    await using run = new SdkRun(sidecar.otlpHttp, ONE);
    await fillAndSee(prometheus, run, { bags: 3, total: 3 });
    await fillAndSee(prometheus, run, { bags: 2, total: 5 });

    expect(await seenTotals(prometheus)).toEqual(['10', '14', '3', '5']);
    expect(await number(prometheus, `resets(${BAGS}[1h])`)).toBe(1);
    await expectIncrease(prometheus, 9);
  });

  it('has a gap and no reset when siphon itself starts again', async () => {
    await using first = await Sidecar.start();
    const otlp = first.otlpHttp;
    const page = host(first);
    await using prometheus = await PrometheusServer.start([page]);
    await using run = new SdkRun(otlp, ONE);
    await fillAndSee(prometheus, run, { bags: 10, total: 10 });
    await first.stop('SIGKILL');
    await prometheus.found('up == 0');
    expect(await prometheus.query(BAGS)).toEqual([]);

    const ports = [
      `receivers.otlp.protocols.http.endpoint=${new URL(otlp).host}`,
      `exporters.prometheus.endpoint=${page}`,
    ];
    await using second = await Sidecar.start({ sets: ports });
    expect(host(second)).toBe(page);
    await prometheus.found('up == 1');
    expect(await prometheus.query(BAGS)).toEqual([]);
    await fillAndSee(prometheus, run, { bags: 5, total: 15 });

    expect(await seenTotals(prometheus)).toEqual(['10', '15']);
    expect(await number(prometheus, `resets(${BAGS}[1h])`)).toBe(0);
    await expectIncrease(prometheus, 5);
  });
});

function host(sidecar: Sidecar): string {
  return new URL(sidecar.url({ id: 'prometheus' })).host;
}

async function fillAndSee(
  prometheus: PrometheusServer,
  run: SdkRun,
  { bags, total }: { readonly bags: number; readonly total: number },
): Promise<void> {
  await run.fill(bags);
  await prometheus.found(`${BAGS} == ${total}`);
}

/** The values in the order in which they were seen, each once. */
async function seenTotals(prometheus: PrometheusServer): Promise<string[]> {
  const [series] = await prometheus.samples(BAGS);
  const values = series?.values.map(([, value]) => value) ?? [];
  return values.filter((value, index) => value !== values[index - 1]);
}

async function number(prometheus: PrometheusServer, expression: string): Promise<number> {
  return Number((await prometheus.query(expression))[0]?.value[1]);
}

/** Prometheus extrapolates to the ends of the range, by little more than two scrape intervals, and never downwards. */
async function expectIncrease(prometheus: PrometheusServer, bags: number): Promise<void> {
  await prometheus.found(`count_over_time(${BAGS}[1h]) > 8`);
  const increase = await number(prometheus, `increase(${BAGS}[1h])`);
  expect(increase).toBeGreaterThanOrEqual(bags);
  expect(increase).toBeLessThan(bags * 1.5);
}
