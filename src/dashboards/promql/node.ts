/** PromQL as data. It is written as text by `render.ts` alone. */
import type { Metric } from '../../metrics/metric.ts';

/** A time as PromQL writes it. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`;

/**
 * The length of a range. Of Grafana's, `$__interval` is the time from one point of a graph to the next, `$__rate_interval`
 * that and a scrape more, as a rate needs, and `$__range` the time that the dashboard shows.
 */
export type Window = Duration | '$__interval' | '$__rate_interval' | '$__range';

/** The length of a window of Grafana, as a number. */
export type Milliseconds = '$__interval_ms' | '$__range_ms';

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  readonly type: 'selector';
  /** The Prometheus name of the metric. */
  readonly name: string;
  readonly metric: Metric;
  /** The name, or one of the series of a histogram: `<name>_bucket`, `_sum`, `_count`. */
  readonly series: string;
  readonly matchers: readonly Matcher[];
  /** With one it is a range vector. */
  readonly window?: Window;
  readonly offset?: Window;
}

export type Aggregator = 'sum' | 'max' | 'min' | 'avg' | 'count';

export type BinaryOperator = '+' | '-' | '*' | '/' | '>' | '>=' | '<' | '<=' | '==' | '!=' | 'and' | 'or' | 'unless';

export type Node =
  | Selector
  | { readonly type: 'number'; readonly value: number | Milliseconds }
  /** The result of a recording rule, and what it was computed from. */
  | {
      readonly type: 'recorded';
      readonly name: string;
      readonly of: Node;
      /** With one it is a range vector: the results within it at each `resolution`, before `offset`. */
      readonly range?: { readonly window: Duration; readonly resolution: Duration; readonly offset: Duration };
    }
  | { readonly type: 'call'; readonly name: string; readonly arguments: readonly Node[] }
  | {
      readonly type: 'aggregation';
      readonly operator: Aggregator;
      readonly by: readonly string[];
      readonly of: Node;
    }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Node;
      readonly right: Node;
      /** Labels by which the sides are matched; all of them without it. */
      readonly on?: readonly string[];
      /** True if several elements on the left may match one on the right. */
      readonly groupLeft?: boolean;
    };

/** Every selector within an expression. */
export function selectorsOf(node: Node): readonly Selector[] {
  switch (node.type) {
    case 'selector':
      return [node];
    case 'number':
      return [];
    case 'call':
      return node.arguments.flatMap(selectorsOf);
    case 'recorded':
    case 'aggregation':
      return selectorsOf(node.of);
    case 'binary':
      return [...selectorsOf(node.left), ...selectorsOf(node.right)];
  }
}
