import { SINGLE, type MetricMetadata, type SampleSink, type SampleSource } from '../metric-history.ts';
import type { MetricsPage } from './metrics-page.ts';

const SAMPLE = /^([^#{ ][^{ ]*)(?:\{(.*)\})? (\S+)$/;
const TYPE = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/;
const HELP = /^# HELP (\S+) (.*)$/;

/** The job under which the documentation lets Prometheus scrape the page. */
const JOB = 'siphon';

/** The values of the collector's own page, with the labels that a Prometheus adds. */
export class OwnSamples implements SampleSource {
  readonly #page: MetricsPage;
  readonly #target: string;
  #text = '';

  /** @param instance the address of the page. */
  constructor(page: MetricsPage, instance: string) {
    this.#page = page;
    this.#target = `instance="${instance}",job="${JOB}"`;
  }

  async sample(sink: SampleSink): Promise<void> {
    this.#text = await this.#page.render();
    for (const line of this.#text.split('\n')) {
      const [, name, own, value = ''] = SAMPLE.exec(line) ?? [];
      if (name === undefined) continue;
      const labels = own === undefined ? this.#target : `${own},${this.#target}`;
      const number = sink.numberOf({ name, labels, parts: SINGLE });
      if (number >= 0) sink.write(number, numberOf(value));
    }
  }

  metadata(): readonly MetricMetadata[] {
    const help = new Map<string, string>();
    const metadata: MetricMetadata[] = [];
    for (const line of this.#text.split('\n')) {
      const [, described, text = ''] = HELP.exec(line) ?? [];
      if (described !== undefined) help.set(described, text);
      const [, name, type] = TYPE.exec(line) ?? [];
      if (name === undefined) continue;
      metadata.push({ name, type: type as MetricMetadata['type'], help: help.get(name) ?? '' });
    }
    return metadata;
  }
}

function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}
