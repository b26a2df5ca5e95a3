import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIGS } from '../../examples/coffee/sidecar.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { siphon } from '../support/processes/run-built-command.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { withPoller } from '../support/processes/with-poller.ts';
import { waitFor } from '../support/wait-for.ts';

const POLL_OFTEN = 'receivers.db_poller.collection_interval=250ms';
const VARIANTS = /^variants\{.*in_stock="true".*roaster="blue-tokai".*\} 2$/m;
const ERRORS = /^siphon_db_poller_errors\{.*reason="connection".*\} [1-9]/m;

const TWO_VARIANTS = `
  with r as (insert into roasters (name, slug, platform, is_active) values ('Blue Tokai', 'blue-tokai', 'shopify', true) returning id),
       c as (insert into coffees (roaster_id, name, slug, status) select id, 'Attikan', 'attikan', 'active' from r returning id)
  insert into variants (coffee_id, platform_variant_id, currency, in_stock, status)
  select id, v, 'INR', true, 'active' from c, unnest(array['1', '2']) v`;

async function startSidecar(url: string): Promise<Sidecar> {
  return await Sidecar.start({ configs: CONFIGS, environment: { DATABASE_URL: url }, sets: [POLL_OFTEN] });
}

describe('the sidecar with a database', () => {
  it('shows its state, lets the series go stale and counts errors while it is stopped, and recovers automatically', async () => {
    await using database = await startTestPostgres();
    await database.sql(TWO_VARIANTS);
    await using sidecar = await startSidecar(database.url);
    await waitFor(async () => VARIANTS.test(await sidecar.scrape()), { what: 'the variants' });

    await database.server?.pause();
    await waitFor(async () => ERRORS.test(await sidecar.selfMetrics()), { what: 'the error counter' });
    await waitFor(async () => !(await sidecar.scrape()).includes('variants{'), { what: 'the end of the series' });
    expect((await fetch(sidecar.url({ id: 'health_check' }))).status).toBe(200);

    await database.server?.resume();
    await waitFor(async () => VARIANTS.test(await sidecar.scrape()), { what: 'the variants again', timeoutMs: 60_000 });
    expect(sidecar.logText()).not.toContain(new URL(database.url).password);
  });

  it('starts without it, and finds it when it comes', async () => {
    await using database = await startTestPostgres();
    await database.sql(TWO_VARIANTS);
    await database.server?.pause();
    await using sidecar = await startSidecar(database.url);
    expect(await sidecar.scrape()).not.toContain('variants{');
    await database.server?.resume();
    await waitFor(async () => VARIANTS.test(await sidecar.scrape()), { what: 'the variants', timeoutMs: 60_000 });
  });

  it('is polled with the file of siphon init, after its poller is uncommented', async () => {
    await using database = await startTestPostgres();
    const folder = await mkdtemp(path.join(tmpdir(), 'siphon-init-'));
    try {
      expect(await siphon(['init', '--dir', folder])).toMatchObject({ exitCode: 0, stderr: '' });
      const file = path.join(folder, 'otel-collector.yaml');
      await writeFile(file, withPoller(await readFile(file, 'utf8')));
      const environment = { DATABASE_URL: database.url };
      await using sidecar = await Sidecar.start({ configs: [file], environment, sets: [POLL_OFTEN] });
      await waitFor(async () => /^database_connections_active\b/m.test(await sidecar.scrape()), {
        what: 'the health of the database',
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('continues with the other queries when a table is missing', async () => {
    await using database = await startTestPostgres();
    await database.sql(TWO_VARIANTS);
    await database.sql('drop table scrape_artifacts, scrape_runs cascade');
    await using sidecar = await startSidecar(database.url);
    await waitFor(async () => VARIANTS.test(await sidecar.scrape()), { what: 'the variants' });
    const page = await sidecar.scrape();
    expect(page).not.toContain('scrape_runs_running');
    expect(page).not.toContain('pipeline_health_score{component="total"');
  });
});
