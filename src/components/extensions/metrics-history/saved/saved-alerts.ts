/** Keeps the states of alerts, and what Slack knows, in a storage. */
import type { Logger } from 'pino';
import * as v from 'valibot';
import { describeError } from '../../../../engine/describe-error.ts';
import { Incident } from '../../../../engine/incident.ts';
import { decodeStored, encodeStored } from '../../../../engine/stored-value.ts';
import type { StorageSpace } from '../../../../engine/storage.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { Rules } from '../rules/rules.ts';
import { FORMAT, alertsForm, type AlertsForm } from './alerts-form.ts';

const KEY = 'alerts';
const MAX_BYTES = 4 * 1024 * 1024;

/** States that are older say nothing about now, as in Prometheus. */
const OUTAGE_TOLERANCE_MS = 60 * 60_000;

export class SavedAlerts {
  readonly #openSpace: () => Promise<StorageSpace>;
  readonly #rules: Rules;
  readonly #notifier: Notifier | undefined;
  readonly #logger: Logger;
  readonly #failures: Incident;
  #saving: Promise<void> | undefined;

  constructor(
    openSpace: () => Promise<StorageSpace>,
    {
      rules,
      notifier,
      logger,
    }: { readonly rules: Rules; readonly notifier: Notifier | undefined; readonly logger: Logger },
  ) {
    this.#openSpace = openSpace;
    this.#rules = rules;
    this.#notifier = notifier;
    this.#logger = logger;
    this.#failures = new Incident(logger, {
      failing: 'The states of alerts cannot be saved: a restart would begin without them',
      recovered: 'The states of alerts are saved again',
    });
  }

  /** @param graceMs how long series may be missing after a restart. */
  async restore(graceMs: number): Promise<void> {
    try {
      const value = (await (await this.#openSpace()).get([KEY])).get(KEY);
      if (value === undefined) return;
      const { atMs, states, channel } = v.parse(alertsForm, decodeStored(value));
      const toMs = Date.now();
      const isRecent = Math.abs(toMs - atMs) <= OUTAGE_TOLERANCE_MS;
      if (isRecent) this.#rules.restore(states, { fromMs: Math.min(atMs, toMs), toMs, graceMs });
      // Whatever its age: Slack hears that an alert is over.
      if (channel !== undefined) this.#notifier?.restore(channel);
    } catch (error) {
      const cause = describeError(error);
      this.#logger.warn({ cause }, 'The states of alerts from before the restart cannot be read: alerts begin again');
    }
  }

  /** Does not wait. A state that is due while another one is written is saved with the next. */
  save(): void {
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
  }

  /** Saves what has changed since the last evaluation. */
  async close(): Promise<void> {
    await this.#saving;
    await this.#save();
  }

  async #save(): Promise<void> {
    try {
      const state: AlertsForm = {
        format: FORMAT,
        atMs: Date.now(),
        states: this.#rules.states,
        channel: this.#notifier?.saved,
      };
      const bytes = encodeStored(state);
      if (bytes.length > MAX_BYTES) throw new Error(`they have more than ${MAX_BYTES} bytes`);
      await (await this.#openSpace()).write(new Map([[KEY, bytes]]));
      this.#failures.succeeded();
    } catch (error) {
      this.#failures.failed(error);
    }
  }
}
