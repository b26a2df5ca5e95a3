import { hashText } from '../../../../engine/columns/hash-bytes.ts';

const MAX_KEY_LENGTH = 300;

/** All targets that send, or that have series on the page. */
export class Targets {
  readonly #targets = new Map<string, Target>();
  readonly #groups = { own: new TargetGroup(), sent: new TargetGroup() };

  /** The number of series of siphon's own receivers, or of all others. */
  seriesOf(origin: Origin): number {
    return this.#groups[origin].series;
  }

  /** The target with this job and instance, which sends now. */
  seen(job: string, instance: string, { origin, nowMs }: { origin: Origin; nowMs: number }): Target {
    const whole = `${origin}\n${job}\n${instance}`;
    const key = whole.length <= MAX_KEY_LENGTH ? whole : `${whole.slice(0, MAX_KEY_LENGTH)}\n${hashText(0, whole)}`;
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = new Target(job.slice(0, MAX_KEY_LENGTH), { origin, sinceMs: nowMs }, this.#groups[origin]);
      this.#targets.set(key, target);
    }
    target.seenMs = nowMs;
    return target;
  }

  /** The jobs with the most series, and the number of series of all others. */
  largestJobs(count: number): {
    readonly jobs: readonly (readonly [job: string, series: number])[];
    readonly others: number;
  } {
    const byJob = new Map<string, number>();
    let others = 0;
    for (const { job, series } of this.#targets.values()) {
      byJob.set(job, (byJob.get(job) ?? 0) + series);
      others += series;
    }
    const jobs = [...byJob]
      .filter(([, series]) => series > 0)
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, count);
    for (const [, series] of jobs) others -= series;
    return { jobs, others };
  }

  /** Removes targets without series that have not sent since then. */
  sweep(seenSinceMs: number): void {
    for (const [key, target] of this.#targets) {
      if (target.series === 0 && target.seenMs < seenSinceMs) this.#targets.delete(key);
    }
  }
}

/** The source of a series: `own` for siphon's own receivers, for example a poller, `sent` for other processes. */
export type Origin = 'own' | 'sent';

class TargetGroup {
  series = 0;
}

/** A target that sends for this long is not one of many that are invented and sent once. */
const ESTABLISHED_MS = 10_000;

/** A job and instance, with the series on the page that it is charged for. */
export class Target {
  readonly job: string;
  readonly origin: Origin;
  readonly #group: TargetGroup;
  readonly #sinceMs: number;
  seenMs = 0;
  #series = 0;
  #labelBytes = 0;

  constructor(job: string, first: { readonly origin: Origin; readonly sinceMs: number }, group: TargetGroup) {
    this.job = job;
    this.origin = first.origin;
    this.#sinceMs = first.sinceMs;
    this.#group = group;
  }

  /** True if it has sent again since it was new. */
  get isEstablished(): boolean {
    return this.seenMs - this.#sinceMs >= ESTABLISHED_MS;
  }

  get series(): number {
    return this.#series;
  }

  /** The size of the label texts of its series. */
  get labelBytes(): number {
    return this.#labelBytes;
  }

  charge(labelBytes: number): void {
    this.#series++;
    this.#group.series++;
    this.#labelBytes += labelBytes;
  }

  release(labelBytes: number): void {
    this.#series--;
    this.#group.series--;
    this.#labelBytes -= labelBytes;
  }
}
