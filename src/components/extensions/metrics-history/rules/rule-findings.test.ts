import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, expect, it } from 'vitest';
import { metricsHistoryConfig } from '../config.ts';
import { ruleFindings } from './rule-findings.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'siphon-rule-findings-'));
const file = path.join(folder, 'rules.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

async function findingsAbout(text: string): Promise<readonly unknown[]> {
  writeFileSync(file, text);
  const { rules } = v.parse(metricsHistoryConfig, { rules: { packs: [], rule_files: [file] } });
  const reading = { readPackRules: async () => await Promise.resolve([]), historyIntervalMs: 5000 };
  const findings: unknown[] = [];
  for await (const finding of ruleFindings(rules!, reading)) findings.push(finding);
  return findings;
}

it('counts rules that are valid, and names those that have no verdict here', async () => {
  const text = `
groups:
  - name: jobs
    rules:
      - {alert: Down, expr: up == 0}
      - {alert: Late, expr: job_age_seconds > 60}
`;
  expect(await findingsAbout(text)).toEqual([
    {
      severity: 'warning',
      what: `${file}: group jobs: Down is not evaluated: it reads up, which only a Prometheus that scrapes has`,
    },
    { severity: 'ok', what: '2 rules are valid, 2 of them from rule_files' },
  ]);
});

it('names file, group and rule of a mistake', async () => {
  const text = `
groups:
  - name: jobs
    rules:
      - alert: Late
        expr: job_age_seconds > 60

      - alert: Broken
        expr: rate(jobs_total)
`;
  expect(await findingsAbout(text)).toMatchObject([
    { severity: 'error', what: expect.stringContaining(`${file}:9: group jobs: alert Broken: expr: `) },
  ]);
});
