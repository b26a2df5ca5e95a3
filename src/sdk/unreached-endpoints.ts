/** One line on stderr for each outage of the endpoints that a process sends its telemetry to. */
import { withoutOpaqueParts } from '../privacy/opaque-segments.ts';

/** The endpoint may start a little later than the service. */
const REPORT_AFTER_MS = 60_000;

interface Failing {
  readonly sinceMs: number;
  readonly problem: string;
  isReported: boolean;
}

/** Traces and metrics have endpoints of their own, which usually are the same server and fail together. */
export class UnreachedEndpoints {
  readonly #reportAfterMs: number;
  /** Keyed by address. */
  readonly #failing = new Map<string, Failing>();

  constructor(reportAfterMs = REPORT_AFTER_MS) {
    this.#reportAfterMs = reportAfterMs;
  }

  reached(url: string): void {
    this.#failing.delete(url);
  }

  /** Reports all endpoints that fail when one of them has failed for a minute. */
  failed(url: string, problem: string): void {
    const nowMs = performance.now();
    const failing = this.#failing.get(url) ?? { sinceMs: nowMs, problem, isReported: this.#knows(url, problem) };
    this.#failing.set(url, failing);
    const failingMs = nowMs - failing.sinceMs;
    if (failing.isReported || failingMs < this.#reportAfterMs) return;
    for (const one of this.#failing.values()) one.isReported = true;
    const addresses = [...this.#failing.keys()].map(withoutSecrets).join(' and ');
    const text = `no telemetry reaches ${addresses}; the first attempt failed ${Math.round(failingMs / 1000)} s ago: ${problem}`;
    process.stderr.write(`siphon-otel/preload: ${text}\n`);
  }

  /** True if the failure of the server is reported already. */
  #knows(url: string, problem: string): boolean {
    const reported = [...this.#failing].filter(([, { isReported }]) => isReported);
    return reported.some(([other, failing]) => originOf(other) === originOf(url) && failing.problem === problem);
  }
}

function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin;
}

function withoutSecrets(text: string): string {
  const url = URL.parse(text);
  return url === null ? 'the endpoint' : `${url.origin}${withoutOpaqueParts(url.pathname)}`;
}
