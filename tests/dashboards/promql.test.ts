/** siphon's evaluator of PromQL against a real Prometheus with the same samples. */
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from '../../src/console/data-source.ts';
import { ruleFiles } from '../../src/dashboards/rules/rule-files.ts';
import { defaultSettings } from '../../src/dashboards/rules/settings.ts';
import type { SeriesSource } from '../../src/promql/series-source.ts';
import { packMetrics } from '../../src/packs/index.ts';
import { eachPanel, shownOn } from '../support/dashboards/panel-data.ts';
import { shipped } from '../support/dashboards/shipped.ts';
import { prometheusMissing, PrometheusServer } from '../support/prometheus/prometheus-server.ts';
import { askPrometheus, askSiphon, difference, valueCount, type Question } from '../support/promql/compare.ts';
import { randomExpressions } from '../support/promql/random-expressions.ts';
import { writeWorld } from '../support/promql/remote-write.ts';
import { worldOf } from '../support/promql/world.ts';
import { worldSource } from '../support/promql/world-source.ts';

if (prometheusMissing !== undefined) process.stderr.write(`PromQL is not compared: ${prometheusMissing}\n`);

const COUNT = Number(process.env['SIPHON_PROMQL_EXPRESSIONS'] ?? 300);
const SEED = Number(process.env['SIPHON_PROMQL_SEED'] ?? 42);
const SCRAPE_S = 15;
const AT_ONCE = 16;
const TIMEOUT_MS = 60_000 + COUNT * 200;

const world = worldOf(packMetrics, SEED);
const [startS, endS] = [world.startMs / 1000, world.endMs / 1000];

/** At round times and others, before and after the samples; with steps shorter and longer than a scrape. */
const MOMENTS: readonly Omit<Question, 'expression'>[] = [
  { fromS: 0, toS: startS + 1800, stepS: 0 },
  { fromS: 0, toS: endS + 133.7, stepS: 0 },
  { fromS: startS - 120, toS: endS + 600, stepS: 60 },
  { fromS: startS + 1234.567, toS: startS + 1500, stepS: 7 },
  { fromS: startS + 5, toS: endS, stepS: 437 },
];

describe.skipIf(prometheusMissing !== undefined)('PromQL in siphon and in Prometheus', () => {
  let prometheus: PrometheusServer;
  let source: SeriesSource;

  beforeAll(async () => {
    prometheus = await PrometheusServer.startWith({}, { features: ['remote-write-receiver'], retention: '10000d' });
    await writeWorld(prometheus.url, world);
    source = worldSource(world);
  }, 120_000);

  afterAll(async () => await prometheus?.[Symbol.asyncDispose]());

  it('has the same values for every panel and every rule', async () => {
    const questions = [...(await questionsOfPanels()), ...questionsOfRules()];
    const { differences, values } = await compareAll(questions);
    tell('panels and rules', questions.length, values);
    expect(differences).toEqual([]);
    expect(values).toBeGreaterThan(10_000);
  }, 300_000);

  it(
    'has the same values for random expressions',
    async () => {
      const expressions = randomExpressions(COUNT, SEED);
      const questions = expressions.flatMap((expression) => MOMENTS.map((moment) => ({ ...moment, expression })));
      const { differences, values } = await compareAll(questions);
      tell('random expressions', questions.length, values);
      expect(differences).toEqual([]);
      expect(values).toBeGreaterThan(COUNT * 100);
    },
    TIMEOUT_MS,
  );

  async function compareAll(
    questions: readonly Question[],
  ): Promise<{ readonly differences: readonly string[]; readonly values: number }> {
    const differences: string[] = [];
    let values = 0;
    for (let first = 0; first < questions.length; first += AT_ONCE) {
      const some = questions.slice(first, first + AT_ONCE);
      const answers = await Promise.all(some.map(async (question) => await askPrometheus(prometheus.url, question)));
      for (const [index, question] of some.entries()) {
        const expected = answers[index]!;
        const found = difference(askSiphon(source, question), expected);
        values += valueCount(expected);
        if (found !== undefined) differences.push(`${JSON.stringify(question)}\n${found}`);
      }
    }
    return { differences, values };
  }
});

/** For the documentation. */
function tell(what: string, questions: number, values: number): void {
  process.stdout.write(`Compared with Prometheus, ${what}: ${questions} questions, ${values} values\n`);
}

async function questionsOfPanels(): Promise<readonly Question[]> {
  const questions = new Map<string, Question>();
  const add = (question: Question): void => void questions.set(JSON.stringify(question), question);
  const collector: DataSource = {
    labelValues: async () => [],
    at: async (expression, atS) => {
      add({ expression, fromS: 0, toS: atS, stepS: 0 });
      return [];
    },
    over: async (expression, { fromS, toS, stepS }) => {
      add({ expression, fromS, toS, stepS });
      return [];
    },
    exemplars: async () => [],
  };
  for (const range of ['15m', '1h']) {
    for (const { dashboard, panel } of eachPanel) {
      await shownOn(collector, dashboard, { panel, range, nowS: endS, scrapeS: SCRAPE_S });
    }
  }
  return [...questions.values()];
}

function questionsOfRules(): readonly Question[] {
  const rules = [...ruleFiles(shipped, defaultSettings).values()].flatMap((text) => {
    const { groups } = load(text) as {
      readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
    };
    return groups.flatMap((group) => group.rules);
  });
  return rules.flatMap(({ expr }) => MOMENTS.map((moment) => ({ ...moment, expression: expr })));
}
