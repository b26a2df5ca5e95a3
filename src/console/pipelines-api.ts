import { jsonText } from '../engine/json-text.ts';
import type { RunningPipeline } from '../engine/component.ts';
import type { AskQuery, QueryAnswer, QueryApi } from '../engine/query-apis.ts';
import type { DataSource, Labels, Sample } from './data-source.ts';
import { ledgerAt } from './ledger.ts';
import {
  ITEMS,
  signalOf,
  type ComponentState,
  type NamedNumber,
  type PipelinesState,
  type PipelineState,
} from './pipelines-state.ts';
import { PrometheusSource } from './prometheus-source.ts';

/** Answers `/api/pipelines`. Without the history, there are no numbers, but still pipelines. */
export class PipelinesApi implements QueryApi {
  readonly prefix = '/api/pipelines';
  readonly #ask: AskQuery;

  constructor(ask: AskQuery) {
    this.#ask = ask;
  }

  async answer(_path: string, _parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer> {
    const answer = await this.#ask('/api/service', new URLSearchParams(), hasRoom);
    if (answer.status !== 200) return answer;
    const service = JSON.parse(answer.body) as Omit<PipelinesState, 'pipelines'> & { pipelines: RunningPipeline[] };
    const source = new PrometheusSource(async (path, parameters) => await this.#ask(path, parameters, hasRoom));
    const atUnixMs = Date.now();
    const numbers = new Numbers(source, atUnixMs / 1000);
    const known = await numbers.read(service.pipelines).catch(({ message }: Error) => message);
    const state: PipelinesState = {
      ...service,
      atUnixMs,
      pipelines: service.pipelines.map((pipeline) => pipelineState(pipeline, numbers)),
      ledger: typeof known === 'string' ? [] : await ledgerAt(source, atUnixMs / 1000),
      missing: typeof known === 'string' ? [known] : [],
    };
    return { status: 200, body: jsonText(state) };
  }
}

function pipelineState({ id, receivers, processors, exporters }: RunningPipeline, numbers: Numbers): PipelineState {
  const component = (kind: ComponentState['kind']) => {
    return (name: string): ComponentState => ({ kind, id: name, numbers: numbers.of(QUESTIONS[kind], id, name) });
  };
  const account = `pipelines::${id}`;
  return {
    id,
    stages: [
      receivers.map(component('receiver')),
      ...processors.map((name) => [component('processor')(name)]),
      exporters.map(component('exporter')),
    ],
    edges: [
      numbers.of([ACCEPTED], id, account),
      ...processors.map((name, index) =>
        index === processors.length - 1 ? numbers.of([DELIVERED], id, account) : numbers.of([OUTGOING], id, name),
      ),
    ],
  };
}

/** A number of each component of a kind. */
interface Question {
  readonly name: string;
  /** The label with the name of the component. */
  readonly label: string;
  readonly unit: 'rate' | 'count' | 'share';
  readonly isBad?: true;
  /** @param signal the signal whose items are counted. */
  readonly expression: (signal: string) => string;
}

const ACCEPTED = rate('', 'account', (signal) => `siphon_ledger_accepted_items{otel_signal="${signal}"}`);
const DELIVERED = rate('', 'account', (signal) => `siphon_ledger_delivered_items{otel_signal="${signal}"}`);
const OUTGOING = rate('', 'processor', (signal) => `otelcol_processor_outgoing_items{otel_signal="${signal}"}`);

const QUESTIONS: Readonly<Record<ComponentState['kind'], readonly Question[]>> = {
  receiver: [
    rate('accepted', 'receiver', (signal) => `otelcol_receiver_accepted_${ITEMS[signal]}`),
    { ...rate('refused', 'receiver', (signal) => `otelcol_receiver_refused_${ITEMS[signal]}`), isBad: true },
    losses('requests rejected', 'receiver', () => 'siphon_receiver_rejected_requests'),
  ],
  processor: [
    rate('in', 'processor', (signal) => `otelcol_processor_incoming_items{otel_signal="${signal}"}`),
    rate('out', 'processor', (signal) => `otelcol_processor_outgoing_items{otel_signal="${signal}"}`),
    losses('dropped', 'processor', (signal) => `siphon_dropped_items{otel_signal="${signal}"}`),
  ],
  exporter: [
    rate('sent', 'exporter', (signal) => `otelcol_exporter_sent_${ITEMS[signal]}`),
    {
      ...rate('failed attempts', 'exporter', (signal) => `otelcol_exporter_send_failed_${ITEMS[signal]}`),
      isBad: true,
    },
    { ...rate('not queued', 'exporter', (signal) => `otelcol_exporter_enqueue_failed_${ITEMS[signal]}`), isBad: true },
    {
      name: 'queue full',
      label: 'exporter',
      unit: 'share',
      expression: (signal) =>
        `sum by (exporter) (otelcol_exporter_queue_size{data_type="${signal}"}) / sum by (exporter) (otelcol_exporter_queue_capacity{data_type="${signal}"})`,
    },
    losses('dropped', 'exporter', (signal) => `siphon_dropped_items{otel_signal="${signal}"}`),
  ],
};

function rate(name: string, label: string, series: Question['expression']): Question {
  return { name, label, unit: 'rate', expression: (signal) => `sum by (${label}) (rate(${series(signal)}[1m]))` };
}

/** Since the start, by reason. */
function losses(name: string, label: string, series: Question['expression']): Question {
  const expression: Question['expression'] = (signal) => `sum by (${label}, reason) (${series(signal)}) > 0`;
  return { name, label, unit: 'count', isBad: true, expression };
}

/** The answers to the questions about some pipelines. */
class Numbers {
  readonly #source: DataSource;
  readonly #atS: number;
  readonly #answers = new Map<string, readonly Sample[]>();

  constructor(source: DataSource, atS: number) {
    this.#source = source;
    this.#atS = atS;
  }

  /** One query after the other: the history lets few of them wait. */
  async read(pipelines: readonly RunningPipeline[]): Promise<void> {
    const questions = [ACCEPTED, DELIVERED, OUTGOING, ...Object.values(QUESTIONS).flat()];
    for (const signal of new Set(pipelines.map(({ id }) => signalOf(id)))) {
      for (const question of questions) {
        const expression = question.expression(signal);
        if (!this.#answers.has(expression)) this.#answers.set(expression, await this.#source.at(expression, this.#atS));
      }
    }
  }

  /** The numbers of a component or account. A rate of losses is left out while it is 0. */
  of(questions: readonly Question[], pipeline: string, component: string): readonly NamedNumber[] {
    const signal = signalOf(pipeline);
    const items = (ITEMS[signal] ?? 'items').replace('_', ' ');
    return questions.flatMap(({ name, label, unit, isBad = false, expression }) => {
      const query = expression(signal);
      return (this.#answers.get(query) ?? [])
        .filter(({ labels, value }) => labels[label] === component && Number.isFinite(value) && !(isBad && value === 0))
        .map(({ labels, value }) => ({
          name: named(name, labels),
          value,
          unit: unit === 'rate' ? `${items}/s` : unit === 'share' ? '1' : '',
          expression: query,
          isBad,
        }));
    });
  }
}

function named(name: string, { reason }: Labels): string {
  return reason === undefined ? name : `${name} (${reason})`;
}
