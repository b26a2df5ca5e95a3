import { expect, it } from 'vitest';
import { gaugesRequest } from '../support/otlp/gauges-request.ts';
import { wrongAccounts } from '../support/processes/ledger.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { post } from '../support/hostile/senders.ts';

const LABEL = 'x'.repeat(1000);

it(
  'accepts data within seconds after a burst of 126,000 series with labels of 1 kB',
  { timeout: 180_000 },
  async () => {
    await using sidecar = await Sidecar.start({ sets: ['exporters.prometheus.metric_expiration=5s'] });
    for (let part = 0; part < 126; part++) {
      const values = Array.from({ length: 1000 }, (_, i) => `${LABEL}${part} ${i}`);
      await post(sidecar.otlpHttp, gaugesRequest({ job: 'burst', names: ['burst'], values }));
    }
    const isAccepted = async (): Promise<boolean> => {
      const status = await post(sidecar.otlpHttp, gaugesRequest({ job: 'other', names: ['other'] }));
      return status === 200 && (await sidecar.scrape()).includes('other{');
    };
    await waitFor(isAccepted, { timeoutMs: 15_000, what: 'another sender to be accepted' });
    const fits = async (): Promise<boolean> => !(await sidecar.scrape()).includes('burst{');
    await waitFor(fits, { timeoutMs: 30_000, what: 'the burst to expire' });
    expect(await post(sidecar.otlpHttp, gaugesRequest({ job: 'late', names: ['late'] }))).toBe(200);
    expect((await fetch(sidecar.url({ id: 'health_check' }))).status).toBe(200);
    const page = await sidecar.selfMetrics();
    expect(page).toMatch(/^siphon_ledger_accepted_items\{account="pipelines::metrics",.*\} 12\d{4}$/m);
    expect(wrongAccounts(page)).toEqual([]);
  },
);
