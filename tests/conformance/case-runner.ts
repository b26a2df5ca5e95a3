import { setTimeout as sleep } from 'node:timers/promises';
import { CollectorProcess, type CollectorProgram } from '../support/processes/collector-process.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { DEFAULT_CONFIG, type ConformanceCase } from './conformance-case.ts';

/** The lines of a scrape page; `HTTP 500` for an error. */
export type Page = readonly string[];

const AT_ONCE = 8;
const TEXT = 'text/plain;version=0.0.4';

interface Ports {
  readonly otlp: number;
  readonly scrape: number;
}

/** Runs all cases in one process, each in a pipeline of its own. */
export async function runCases(
  program: CollectorProgram,
  cases: readonly ConformanceCase[],
): Promise<ReadonlyMap<string, Page>> {
  const free = await freePorts(cases.length * 2);
  const runs = cases.map((one, i) => ({ one, ports: { otlp: free[2 * i]!, scrape: free[2 * i + 1]! } }));
  await using collector = await CollectorProcess.start(program, configuration(runs));
  const pages = new Map<string, Page>();
  const rest = runs.values();
  const worker = async (): Promise<void> => {
    for (const { one, ports } of rest) {
      pages.set(
        one.name,
        await runCase(one, ports).catch((cause: unknown) => {
          throw new Error(`${collector.name}, case “${one.name}”:\n${collector.logTail}`, { cause });
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return pages;
}

async function runCase(
  { requests, connector, waitMs = 0, accept = TEXT }: ConformanceCase,
  ports: Ports,
): Promise<Page> {
  for (const request of requests) {
    const [signal, field] = connector === undefined ? ['metrics', 'resourceMetrics'] : ['traces', 'resourceSpans'];
    const response = await fetch(`http://127.0.0.1:${ports.otlp}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ [field]: request }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  }
  await sleep(waitMs);
  const response = await fetch(`http://127.0.0.1:${ports.scrape}/metrics`, { headers: { accept } });
  const text = await response.text();
  return response.ok ? text.split('\n').filter(Boolean).map(withSortedExemplar) : [`HTTP ${response.status}`];
}

/** The stock Collector writes an exemplar's labels in the order of a Go map. */
function withSortedExemplar(line: string): string {
  return line.replace(/(?<= # \{)[^{}]*(?=\} \S+ \S+$)/, (labels) => labels.split(',').toSorted().join(','));
}

function configuration(runs: readonly { one: ConformanceCase; ports: Ports }[]): unknown {
  const numbered = runs.map((run, id) => ({ ...run, id }));
  const counted = numbered.filter(({ one }) => one.connector !== undefined);
  const named = <T>(type: string, value: (run: (typeof numbered)[number]) => T, some = numbered) =>
    Object.fromEntries(some.map((run) => [`${type}/${run.id}`, value(run)]));
  return {
    receivers: named('otlp', ({ ports }) => ({ protocols: { http: { endpoint: `127.0.0.1:${ports.otlp}` } } })),
    processors: Object.fromEntries(
      numbered.flatMap(({ id, one: { processors = {} } }) =>
        Object.entries(processors).map(([type, options]) => [`${type}/${id}`, options]),
      ),
    ),
    connectors: named('span_metrics', ({ one }) => one.connector, counted),
    exporters: named('prometheus', ({ one: { config = DEFAULT_CONFIG }, ports }) => ({
      ...config,
      endpoint: `127.0.0.1:${ports.scrape}`,
    })),
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        ...named(
          'traces',
          ({ id, one }) => ({
            receivers: [`otlp/${id}`],
            processors: processorIds(id, one),
            exporters: [`span_metrics/${id}`],
          }),
          counted,
        ),
        ...named('metrics', ({ id, one }) => ({
          receivers: [one.connector === undefined ? `otlp/${id}` : `span_metrics/${id}`],
          processors: one.connector === undefined ? processorIds(id, one) : [],
          exporters: [`prometheus/${id}`],
        })),
      },
    },
  };
}

function processorIds(id: number, { processors = {} }: ConformanceCase): string[] {
  return Object.keys(processors).map((type) => `${type}/${id}`);
}
