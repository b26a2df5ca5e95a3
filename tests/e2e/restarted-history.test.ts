/** The history of the sidecar continues after it was restarted and killed. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gaugesRequest } from '../support/otlp/gauges-request.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

const RULES = `
groups:
  - name: rooms
    interval: 1s
    rules:
      - {record: 'room:level', expr: level * 2}
`;

type Values = readonly (readonly [timeS: number, value: string])[];

test(
  'samples are there after a restart, and nothing is in the time without a sidecar',
  { timeout: 120_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-history-'));
    const rules = join(directory, 'rules.yaml');
    await writeFile(rules, RULES);
    const start = async (): Promise<Sidecar> =>
      await Sidecar.start({
        sets: [
          `extensions.file_storage.directory=${directory}`,
          'service.extensions=[file_storage, metrics_history, health_check]',
          'extensions.metrics_history.storage=file_storage',
          'extensions.metrics_history.interval=1s',
          `extensions.metrics_history.rules={packs: [], rule_files: [${rules}]}`,
        ],
      });
    const fromS = Math.floor(Date.now() / 1000);
    const shown = async (sidecar: Sidecar, toS: number): Promise<readonly Values[]> =>
      await Promise.all(['level', 'room:level'].map(async (query) => await valuesOf(sidecar, query, { fromS, toS })));
    let before: readonly Values[];
    let downS: number;
    {
      await using first = await start();
      await send(first);
      await waitFor(async () => (await valuesOf(first, 'room:level', { fromS, toS: nowS() })).length > 4, {
        what: 'the samples',
        timeoutMs: 30_000,
      });
      const toS = nowS() - 1;
      before = await shown(first, toS);
      await first.stop('SIGTERM');
      downS = nowS() + 1;
      // Exactly what was saved, also after a process that ends before it saves anything.
      await using second = await start();
      expect(await shown(second, toS)).toEqual(before);
      await second.stop('SIGKILL');
      await using third = await start();
      expect(await shown(third, toS)).toEqual(before);
      await send(third);
      await waitFor(async () => (await shown(third, nowS())).every((values) => isSince(values, downS)), {
        what: 'new samples',
        timeoutMs: 30_000,
      });
      const [level = []] = await shown(third, nowS());
      const times = level.map(([timeS]) => timeS);
      const gaps = times.slice(1).map((timeS, index) => timeS - times[index]!);
      // In the time between, a value would be as old as the lookback allows.
      expect(gaps.filter((gap) => gap > 1)).toHaveLength(1);
      expect(times.filter((timeS) => timeS < downS).length).toBeGreaterThanOrEqual(before[0]!.length);
    }
  },
);

function isSince(values: Values, sinceS: number): boolean {
  return values.some(([timeS]) => timeS > sinceS);
}

function nowS(): number {
  return Math.floor(Date.now() / 1000);
}

async function send(sidecar: Sidecar): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' };
  const body = Buffer.from(gaugesRequest({ names: ['level'] }));
  const answer = await fetch(`${sidecar.otlpHttp}/v1/metrics`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
}

async function valuesOf(
  sidecar: Sidecar,
  query: string,
  { fromS, toS }: { fromS: number; toS: number },
): Promise<Values> {
  const parameters = new URLSearchParams({ query, start: String(fromS), end: String(toS), step: '1' });
  const answer = await fetch(`${sidecar.url({ id: 'metrics_history' })}/api/v1/query_range?${parameters.toString()}`);
  const { data } = (await answer.json()) as {
    readonly data: { readonly result: readonly { readonly values: Values }[] };
  };
  return data.result[0]?.values ?? [];
}
