import type {
  Component,
  ComponentSettings,
  Consumer,
  PartialSuccess,
  Signal,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { rewriteItems, type Item, type ItemVerdict } from '../../../engine/otlp/items.ts';
import type { Steps } from '../../../pattern/work.ts';
import { anyOf, holds, type Test } from './condition.ts';
import { conditionsFor, type FilterConfig } from './config.ts';
import type { Owner } from './paths.ts';
import { SteadyWork } from '../../../pattern/steady-work.ts';
import { withoutEvents } from './without-events.ts';

/** Drops the items for which a condition holds. */
export class FilterProcessor implements Component, Consumer {
  readonly #config: FilterConfig;
  readonly #next: Consumer;
  readonly #ledger: ComponentSettings['ledger'];

  constructor({ ledger }: ComponentSettings, config: FilterConfig, next: Consumer) {
    this.#config = config;
    this.#next = next;
    this.#ledger = ledger;
  }

  async start(): Promise<void> {}

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    const filter = new BatchFilter(batch.signal, this.#config);
    const kept = await rewriteItems(batch, (item) => filter.decide(item));
    this.#ledger.account(batch.signal).drop(batch.itemCount - kept.itemCount, 'not_sampled');
    if (kept.itemCount > 0) return await this.#next.consume(kept);
  }

  async shutdown(): Promise<void> {}
}

/** Answers about the resource or the metric of the last item, which are often those of the next one too. */
interface Remembered {
  readonly of: unknown;
  readonly isDropped: boolean;
}

/** Decides about the items of one batch. */
class BatchFilter {
  readonly #work = new SteadyWork();
  readonly #tests: ReadonlyMap<Owner, Test>;
  #resource: Remembered = { of: undefined, isDropped: false };
  #metric: Remembered = { of: undefined, isDropped: false };

  constructor(signal: Signal, config: FilterConfig) {
    const byOwner = Map.groupBy(conditionsFor(signal, config), ({ owner }) => owner);
    this.#tests = new Map(
      [...byOwner].map(([owner, conditions]) => [owner, anyOf(conditions.map(({ test }) => test))]),
    );
  }

  /** Outer things first: without them, the inner ones are not tested. */
  *decide(item: Item): Steps<ItemVerdict> {
    if (yield* this.#dropsResource(item)) return 'drop';
    if (yield* this.#dropsMetric(item)) return 'drop';
    for (const owner of ITEM_OWNERS) {
      if (yield* this.#drops(owner, item)) return 'drop';
    }
    const test = this.#tests.get('spanevent');
    return test === undefined ? 'keep' : yield* withoutEvents(item, test, this.#work);
  }

  *#drops(owner: Owner, item: Item): Steps<boolean> {
    const test = this.#tests.get(owner);
    return test !== undefined && (yield* holds(test, { item }, this.#work));
  }

  *#dropsResource(item: Item): Steps<boolean> {
    if (!this.#tests.has('resource')) return false;
    if (this.#resource.of !== item.resource) {
      this.#resource = { of: item.resource, isDropped: yield* this.#drops('resource', item) };
    }
    return this.#resource.isDropped;
  }

  *#dropsMetric(item: Item): Steps<boolean> {
    if (!this.#tests.has('metric')) return false;
    const { metricBlock } = item;
    if (this.#metric.of !== metricBlock) {
      this.#metric = { of: metricBlock, isDropped: yield* this.#drops('metric', item) };
    }
    return this.#metric.isDropped;
  }
}

const ITEM_OWNERS = ['span', 'datapoint', 'log'] as const;
