import type { ComponentSettings } from '../../../../engine/component.ts';
import { HttpClient } from '../../../../engine/net/http-client.ts';
import { openHttpClient } from '../../../../engine/net/open-http-client.ts';
import { sidecarMetrics } from '../../../../metrics/self.ts';
import { Alertmanager } from './alertmanager.ts';
import type { NotifyConfig } from './config.ts';
import type { NotifiedAlert } from './notified-alert.ts';
import { Slack, type SavedChannel } from './slack.ts';

type Receiver = Alertmanager | Slack;

/** Sends alerts to all receivers. */
export class Notifier {
  readonly #receivers: readonly Receiver[];

  private constructor(receivers: readonly Receiver[], metrics: ComponentSettings['metrics']) {
    this.#receivers = receivers;
    const sum = (of: (receiver: Receiver) => number): number =>
      receivers.reduce((total, receiver) => total + of(receiver), 0);
    metrics.observe(sidecarMetrics.siphon_rules_notifications_sent, (observe) =>
      observe(
        sum(({ counts }) => counts.sent),
        {},
      ),
    );
    metrics.observe(sidecarMetrics.siphon_rules_notifications_failed, (observe) =>
      observe(
        sum(({ counts }) => counts.failed),
        {},
      ),
    );
  }

  /** @throws Error if a file of `tls` cannot be used. */
  static async open(
    { alertmanagers, slack, tls, proxy_url: proxyUrl, resend_interval: resendMs, timeout: timeoutMs }: NotifyConfig,
    { logger, metrics }: Pick<ComponentSettings, 'logger' | 'metrics'>,
  ): Promise<Notifier> {
    const proxy = proxyUrl === undefined ? undefined : new URL(proxyUrl.reveal());
    const receivers: Promise<Receiver>[] = alertmanagers.map(async (config) => {
      const client = await openHttpClient(tls, logger, { proxy, maxAnswerBytes: 0 });
      return new Alertmanager(config, client, { resendMs, timeoutMs, logger });
    });
    if (slack !== undefined) {
      // The keys of `tls` are for Alertmanagers.
      const own = new Slack(slack, new HttpClient({ proxy, maxAnswerBytes: 0 }), { timeoutMs, logger });
      receivers.push(Promise.resolve(own));
    }
    return new Notifier(await Promise.all(receivers), metrics);
  }

  /** The content of messages that may not be repeated. An Alertmanager recognizes what it knows. */
  get saved(): SavedChannel | undefined {
    return this.#slack?.saved;
  }

  restore(channel: SavedChannel): void {
    this.#slack?.restore(channel);
  }

  get #slack(): Slack | undefined {
    return this.#receivers.find((receiver) => receiver instanceof Slack);
  }

  /** Does not wait for receivers. */
  notify(alerts: readonly NotifiedAlert[]): void {
    for (const receiver of this.#receivers) receiver.notify(alerts);
  }

  async close(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#receivers.map(async (receiver) => await receiver.close(deadline)));
  }
}
