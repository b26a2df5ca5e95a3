import type { ComponentSettings, TelemetryBatch } from '../../../engine/component.ts';
import { inSlices } from '../../../engine/time-slice.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { addExemplars, type LinksByPoint } from './add-exemplars.ts';
import type { ExemplarsConfig } from './config.ts';
import { Links } from './links.ts';
import { PointReading } from './read-points.ts';
import { SpanReading } from './read-spans.ts';
import { Resources } from './resources.ts';
import { builtInRules, CompiledRule } from './rules.ts';
import { WaitingSpans } from './waiting-spans.ts';

/** The spans and points of all pipelines that have the processor: what one pipeline remembers, the other one finds. */
export class Correlation {
  readonly #resources: Resources;
  readonly #spans: SpanReading;
  readonly #points: PointReading;

  constructor({ metrics }: Pick<ComponentSettings, 'metrics'>, config: ExemplarsConfig) {
    const spans = new WaitingSpans(config.max_spans);
    this.#resources = new Resources({ spans, setsLeft: MAX_SETS });
    const decisions = metrics.counter(sidecarMetrics.siphon_exemplars_decisions);
    const dropped = metrics.counter(sidecarMetrics.siphon_exemplars_dropped_spans);
    this.#spans = new SpanReading(this.#resources, (reason) => dropped.add(1, { reason }));
    this.#points = new PointReading(this.#resources, {
      rules: rulesOf(config),
      links: new Links(spans, config.tolerance * NS_A_MS),
      onOutcome: (outcome) => decisions.add(1, { outcome }),
    });
  }

  /** Remembers the spans of a batch that other pipelines have accepted. */
  async takeSpans(batch: TelemetryBatch): Promise<void> {
    for (const chunk of batch.chunks) await inSlices(this.#spans.read(chunk));
  }

  /** Returns the batch with an exemplar for each measurement whose span is known for certain. */
  async withExemplars(batch: TelemetryBatch): Promise<TelemetryBatch> {
    const links: LinksByPoint = new Map();
    for (const chunk of batch.chunks) {
      const ofBuffer = links.get(chunk.buffer) ?? new Map();
      await inSlices(this.#points.read(chunk, (start, found) => ofBuffer.set(chunk.byteOffset + start, found)));
      if (ofBuffer.size > 0) links.set(chunk.buffer, ofBuffer);
    }
    this.#resources.sweep(performance.now());
    return links.size === 0 ? batch : await addExemplars(batch, links);
  }
}

const NS_A_MS = 1e6;
/** Sets of attributes of spans and series. Each takes at most 4 KiB. */
const MAX_SETS = 20_000;

/** A rule of the configuration replaces the built-in one of its metric. */
function rulesOf({ built_in_rules, rules }: ExemplarsConfig): CompiledRule[] {
  const configured = rules.map(({ metric, attributes, ...rest }) => ({
    metric,
    attributes,
    spanKinds: rest.span_kinds,
    spanNames: rest.span_names,
    optionalAttributes: rest.optional_attributes,
  }));
  return [...configured, ...(built_in_rules ? builtInRules : [])].map((rule) => new CompiledRule(rule));
}
