import type { Logger } from 'pino';
import { Incident } from '../../../../engine/incident.ts';
import { basicAuthorization } from '../../../../engine/net/basic-authorization.ts';
import type { HttpClient } from '../../../../engine/net/http-client.ts';
import type { Alert } from '../../../../rules/alert-states.ts';
import type { AlertmanagerConfig } from './config.ts';
import { keyOf } from '../../../../promql/labels.ts';
import { shownAlert } from '../shown-alert.ts';
import { SentAlerts, type NotifiedAlert } from './notified-alert.ts';

export interface AlertmanagerSettings {
  readonly resendMs: number;
  readonly timeoutMs: number;
  readonly logger: Logger;
}

/** An alert as the API of Alertmanager takes it, version 2. */
interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** How many alerts one request contains, as in Prometheus. */
const ALERTS_A_REQUEST = 64;
/** More alerts than a person can read. The others are sent when these are over. */
const MAX_ALERTS = 10_000;
const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 60_000;

/** Sends alerts to one Alertmanager, repeats those that fire, and reports their end. */
export class Alertmanager {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #client: HttpClient;
  readonly #settings: AlertmanagerSettings;
  readonly #sent: SentAlerts;
  readonly #incident: Incident;
  readonly #closing = new AbortController();
  #latest: readonly NotifiedAlert[] = [];
  #sending: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  /** Alerts that were accepted, and attempts that failed, since the start. */
  readonly counts = { sent: 0, failed: 0 };

  constructor({ url, headers }: AlertmanagerConfig, client: HttpClient, settings: AlertmanagerSettings) {
    const base = new URL(url.reveal());
    this.#headers = { 'content-type': 'application/json', ...credentialsOf(base), ...revealed(headers) };
    base.username = '';
    base.password = '';
    base.pathname = `${base.pathname.replace(/\/$/, '')}/api/v2/alerts`;
    this.#url = base;
    this.#client = client;
    this.#settings = settings;
    this.#sent = new SentAlerts(settings.resendMs);
    this.#incident = new Incident(settings.logger.child({ alertmanager: base.origin }), {
      failing: 'Alerts do not reach Alertmanager',
      recovered: 'Alerts reach Alertmanager again',
    });
  }

  /** Sends what is due of all alerts. While a request is in flight, the next one waits for the next call. */
  notify(alerts: readonly NotifiedAlert[]): void {
    this.#latest = alerts;
    this.#sent.keepOnly(alerts);
    this.#send();
  }

  /** Waits for what is in flight, until the deadline. */
  async close(deadline: AbortSignal): Promise<void> {
    clearTimeout(this.#retry);
    deadline.addEventListener('abort', () => this.#closing.abort(), { once: true });
    await this.#sending;
    this.#closing.abort();
    this.#client.close();
  }

  #send(): void {
    clearTimeout(this.#retry);
    this.#sending ??= this.#sendDue().finally(() => (this.#sending = undefined));
  }

  async #sendDue(): Promise<void> {
    const due = this.#sent.due(this.#latest, Date.now()).slice(0, MAX_ALERTS);
    for (let first = 0; first < due.length; first += ALERTS_A_REQUEST) {
      const some = due.slice(first, first + ALERTS_A_REQUEST);
      const nowMs = Date.now();
      try {
        await this.#post(this.#recognized(some).map((one) => this.#postedAlert(one, nowMs)));
        this.#sent.mark(some, nowMs);
        this.counts.sent += some.length;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.counts.failed += some.length;
        this.#incident.failed(error);
        return this.#retryLater();
      }
    }
    if (due.length === 0) return;
    this.#retryMs = FIRST_RETRY_MS;
    this.#incident.succeeded();
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => this.#send(), this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
  }

  /**
   * Alertmanager distinguishes alerts by the labels that it gets. Those that differ only in a secret are one alert there,
   * which is over when all of them are.
   */
  #recognized(some: readonly NotifiedAlert[]): readonly NotifiedAlert[] {
    if (some.every(({ alert }) => alert.resolvedAtMs === undefined)) return some;
    const firing = new Set(this.#latest.flatMap(({ alert }) => (alert.state === 'firing' ? [shownKey(alert)] : [])));
    return some.filter(({ alert }) => alert.resolvedAtMs === undefined || !firing.has(shownKey(alert)));
  }

  async #post(alerts: readonly PostedAlert[]): Promise<void> {
    if (alerts.length === 0) return;
    const { status } = await this.#client.post({
      url: this.#url,
      headers: this.#headers,
      chunks: [Buffer.from(JSON.stringify(alerts))],
      timeoutMs: this.#settings.timeoutMs,
      signal: this.#closing.signal,
    });
    if (status < 200 || status > 299) throw new Error(`it answers with status ${status}`);
  }

  /** A firing alert ends on its own if it is not repeated, so that a sidecar that is gone raises no alarm for ever. */
  #postedAlert({ alert: whole, intervalMs }: NotifiedAlert, nowMs: number): PostedAlert {
    const alert = shownAlert(whole);
    const validMs = 4 * Math.max(this.#settings.resendMs, intervalMs);
    return {
      labels: Object.fromEntries(alert.labels),
      annotations: Object.fromEntries(alert.annotations),
      startsAt: new Date(alert.firedAtMs ?? alert.activeAtMs).toISOString(),
      endsAt: new Date(alert.resolvedAtMs ?? nowMs + validMs).toISOString(),
    };
  }
}

function shownKey(alert: Alert): string {
  return keyOf(shownAlert(alert).labels);
}

function credentialsOf(url: URL): Readonly<Record<string, string>> {
  return url.username === '' && url.password === '' ? {} : { authorization: basicAuthorization(url) };
}

function revealed(headers: AlertmanagerConfig['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
}
