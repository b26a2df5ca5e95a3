import type { Logger } from 'pino';
import type { ComponentSettings, PartialSuccess } from '../../../../engine/component.ts';
import type { LabelChange } from '../names/series-labels.ts';
import type { scrapePageDropReasons } from '../../../../metrics/reasons.ts';
import type { Account } from '../../../../engine/account.ts';
import { sidecarMetrics } from '../../../../metrics/self.ts';

/** Why a data point is not on the page. */
export type DropReason = (typeof scrapePageDropReasons)[number];

/** Senders choose the names, so the log names only this many. The counter counts all points. */
const MAX_NAMED = 1000;

/** Counts dropped points and changed labels, and logs each metric once for each reason. */
export class Drops {
  readonly #logger: Logger;
  readonly #points;
  readonly #labels;
  readonly #clocks;
  #clockPoints = 0;
  #isClockLogged = false;
  readonly #named = new Set<string>();
  readonly #account: Account;
  #brokenHistograms = 0;

  constructor({ logger, metrics, ledger }: Pick<ComponentSettings, 'logger' | 'metrics' | 'ledger'>) {
    this.#account = ledger.account('metrics');
    this.#logger = logger;
    this.#points = metrics.counter(sidecarMetrics.siphon_prometheus_dropped_points);
    this.#labels = metrics.counter(sidecarMetrics.siphon_prometheus_changed_labels);
    this.#clocks = metrics.counter(sidecarMetrics.siphon_prometheus_clock_set_points);
  }

  /** Begins a request. Several requests may be read in turns. */
  begin(): RequestDrops {
    return new RequestDrops((reason, metric) =>
      this.#log(reason, metric, 'Data points are not shown; more of the same are only counted'),
    );
  }

  /** Counts what was dropped from a request. @returns the answer for its sender; undefined if nothing was dropped. */
  end({ counts }: RequestDrops): PartialSuccess | undefined {
    for (const [reason, count] of counts) {
      this.#points.add(count, { reason });
      this.#account.reject(count, reason);
    }
    this.#flush();
    return counts.size === 0 ? undefined : partialSuccess(counts);
  }

  /** Counts a point of this metric that replaces a value from the future. */
  clock(metric: string): void {
    this.#clockPoints++;
    if (this.#isClockLogged) return;
    this.#isClockLogged = true;
    this.#logger.warn({ metric }, 'A clock was set back; earlier values replace later ones');
  }

  /** Counts a point of this metric that is shown without its buckets. */
  buckets(metric: string): void {
    this.#brokenHistograms++;
    this.#log('invalid_buckets', metric, 'Histograms are shown without buckets; more of the same are only counted');
  }

  label(change: LabelChange): void {
    this.#labels.add(1, { change });
  }

  #log(reason: DropReason, metric: string, message: string): void {
    if (this.#named.size >= MAX_NAMED || this.#named.has(`${reason} ${metric}`)) return;
    this.#named.add(`${reason} ${metric}`);
    this.#logger.warn({ reason, metric }, message);
  }

  #flush(): void {
    if (this.#clockPoints > 0) this.#clocks.add(this.#clockPoints, {});
    if (this.#brokenHistograms > 0) this.#points.add(this.#brokenHistograms, { reason: 'invalid_buckets' });
    this.#clockPoints = 0;
    this.#brokenHistograms = 0;
  }
}

/** The dropped points of one request. */
export class RequestDrops {
  readonly counts = new Map<DropReason, number>();
  readonly #log: (reason: DropReason, metric: string) => void;

  constructor(log: (reason: DropReason, metric: string) => void) {
    this.#log = log;
  }

  /** Drops a point of this metric. */
  point(reason: DropReason, metric: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    this.#log(reason, metric);
  }
}

function partialSuccess(counts: ReadonlyMap<DropReason, number>): PartialSuccess {
  const rejectedItems = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return { rejectedItems, message: `data points are not on the scrape page: ${reasons}` };
}
