import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../../src/collector/diagnosis.ts';
import { sqlqueryConfig } from '../../../../src/receivers/sqlquery/config.ts';
import { sqlqueryReceiver } from '../../../../src/receivers/sqlquery/factory.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres.ts';

const metrics = (value_column: string) => [{ metric_name: 'm', value_column }];

describe('siphon doctor about sqlquery', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
  });
  afterAll(() => database[Symbol.asyncDispose]());

  async function findings(queries: unknown[], datasource = `${database.url}?sslmode=disable`): Promise<Finding[]> {
    const config = v.parse(sqlqueryConfig, { driver: 'postgres', datasource, queries });
    const settings = {
      id: 'sqlquery',
      signals: new Set(['metrics', 'logs'] as const),
      deadline: AbortSignal.timeout(10_000),
      progress: () => undefined,
    };
    const found: Finding[] = [];
    for await (const finding of sqlqueryReceiver.diagnose!(settings, config)) found.push(finding);
    return found;
  }

  it('runs each query, and names those that fail and the columns that they lack', async () => {
    const found = await findings([
      { name: 'good', sql: 'select 1 as v', metrics: metrics('v') },
      { name: 'lacking', sql: 'select 1 as v', metrics: metrics('w') },
      { name: 'broken', sql: 'select * from nowhere', metrics: metrics('v') },
      { name: 'tail', sql: 'select 1 as id where 1 > $1::int', tracking_column: 'id', tracking_start_value: '5', logs: [{ body_column: 'id' }] }, // prettier-ignore
    ]);
    expect(found).toMatchObject([
      { severity: 'ok', what: expect.stringMatching(/^query good gives rows, in \d+ ms$/) },
      { severity: 'error', what: 'query lacking has no column w', repair: expect.stringContaining('it has v') },
      { severity: 'error', what: expect.stringMatching(/^query broken: .*nowhere/) },
      { severity: 'ok', what: expect.stringMatching(/^query tail gives no row/) },
    ]);
  });

  it('says once that the database is away, and no password', async () => {
    const query = { sql: 'select 1 as v', metrics: metrics('v') };
    const found = await findings([query, query], 'postgresql://siphon:hunter2@127.0.0.1:1/nowhere');
    expect(found).toMatchObject([{ severity: 'error', what: expect.stringContaining('cannot reach the database') }]);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});
