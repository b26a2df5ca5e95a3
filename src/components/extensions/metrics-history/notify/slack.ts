import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { Incident } from '../../../../engine/incident.ts';
import type { HttpClient } from '../../../../engine/net/http-client.ts';
import { parseRetryAfter } from '../../../../engine/net/retry-after.ts';
import { AlertGroups, type AlertGroup, type SavedGroup } from './alert-groups.ts';
import type { SlackConfig } from './config.ts';
import type { NotifiedAlert } from './notified-alert.ts';
import { GROUP_INTERVAL_MS } from './routing.ts';
import { slackMessage } from './slack-message.ts';

const FIRST_RETRY_MS = 5000;

/** A channel with what its readers know. */
export interface SavedChannel {
  /** Distinguishes channels without their address. */
  readonly digest: string;
  readonly groups: readonly SavedGroup[];
}

/** Sends messages about alerts to Slack, without an Alertmanager. */
export class Slack {
  readonly #url: URL;
  readonly #client: HttpClient;
  readonly #timeoutMs: number;
  readonly #groups = new AlertGroups();
  readonly #incident: Incident;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #retryMs = FIRST_RETRY_MS;
  /** Alerts in messages that were accepted, and in attempts that failed, since the start. */
  readonly counts = { sent: 0, failed: 0 };

  constructor(
    { webhook_url: url }: SlackConfig,
    client: HttpClient,
    { timeoutMs, logger }: { readonly timeoutMs: number; readonly logger: Logger },
  ) {
    this.#url = new URL(url.reveal());
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    // The path is the secret.
    this.#incident = new Incident(logger.child({ slack: this.#url.origin }), {
      failing: 'Alerts do not reach Slack',
      recovered: 'Alerts reach Slack again',
    });
  }

  get saved(): SavedChannel {
    return { digest: this.#digest, groups: this.#groups.saved };
  }

  /** Before the first alerts. Another channel knows nothing. */
  restore({ digest, groups }: SavedChannel): void {
    if (digest === this.#digest) this.#groups.restore(groups, Date.now());
  }

  get #digest(): string {
    return createHash('sha256').update(this.#url.href).digest('base64url');
  }

  /** Does not wait for Slack. */
  notify(alerts: readonly NotifiedAlert[]): void {
    this.#groups.update(
      alerts.map(({ alert }) => alert),
      Date.now(),
    );
    this.#schedule();
  }

  /** Waits for what is in flight, until the deadline. */
  async close(deadline: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    deadline.addEventListener('abort', () => this.#closing.abort(), { once: true });
    await this.#sending;
    this.#closing.abort();
    this.#client.close();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { nextMs } = this.#groups;
    if (nextMs === undefined || this.#sending !== undefined || this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => this.#send(), Math.max(0, nextMs - Date.now())).unref();
  }

  #send(): void {
    this.#sending = this.#sendDue().finally(() => {
      this.#sending = undefined;
      this.#schedule();
    });
  }

  async #sendDue(): Promise<void> {
    const due = this.#groups.due(Date.now());
    for (const [index, group] of due.entries()) {
      const waitMs = await this.#deliver(group);
      if (waitMs === 0) continue;
      // Slack would refuse the others, too.
      for (const one of due.slice(index)) one.postpone(Date.now() + waitMs);
      return;
    }
  }

  /** @returns how long to wait before the next attempt; 0 if there is no need for one. */
  async #deliver(group: AlertGroup): Promise<number> {
    const nowMs = Date.now();
    const alerts = group.message(nowMs);
    if (alerts.length > 0) {
      try {
        await this.#post(slackMessage(alerts));
      } catch (error) {
        return this.#closing.signal.aborted ? FIRST_RETRY_MS : this.#failed(alerts.length, error);
      }
      this.counts.sent += alerts.length;
      this.#retryMs = FIRST_RETRY_MS;
      this.#incident.succeeded();
    }
    group.settle(alerts, nowMs);
    return 0;
  }

  #failed(alerts: number, error: unknown): number {
    this.counts.failed += alerts;
    this.#incident.failed(error);
    const waitMs = Math.max(this.#retryMs, error instanceof Refused ? (error.retryAfterMs ?? 0) : 0);
    this.#retryMs = Math.min(2 * this.#retryMs, GROUP_INTERVAL_MS);
    return waitMs;
  }

  async #post(message: unknown): Promise<void> {
    const request = {
      url: this.#url,
      headers: { 'content-type': 'application/json' },
      chunks: [Buffer.from(JSON.stringify(message))],
      timeoutMs: this.#timeoutMs,
      signal: this.#closing.signal,
    };
    const { status, headers } = await this.#client.post(request, { follows: false });
    if (status < 200 || status > 299) throw new Refused(status, parseRetryAfter(headers['retry-after']));
  }
}

class Refused extends Error {
  override readonly name = 'Refused';
  readonly retryAfterMs: number | undefined;

  constructor(status: number, retryAfterMs: number | undefined) {
    super(`it answers with status ${status}`);
    this.retryAfterMs = retryAfterMs;
  }
}
