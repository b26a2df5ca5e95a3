/** The form of alerts in a storage. */
import * as v from 'valibot';
import type { Alert } from '../../../../rules/alert-states.ts';
import type { SavedChannel } from '../notify/slack.ts';

/** Changes with the form of anything below. */
export const FORMAT = 1;

export interface AlertsForm {
  readonly format: number;
  /** When they were saved. */
  readonly atMs: number;
  /** The alerts of each rule. */
  readonly states: ReadonlyMap<string, readonly Alert[]>;
  readonly channel: SavedChannel | undefined;
}

const time = v.pipe(v.number(), v.finite());
const texts = v.map(v.string(), v.string());

const alert = v.object({
  labels: texts,
  annotations: texts,
  state: v.picklist(['pending', 'firing', 'resolved']),
  value: v.union([v.number(), v.nan()]),
  activeAtMs: time,
  firedAtMs: v.undefinedable(time),
  keepFiringSinceMs: v.undefinedable(time),
  resolvedAtMs: v.undefinedable(time),
});

const group = v.object({
  alerts: v.array(v.object({ alert, isFiring: v.boolean(), isHeldBack: v.boolean() })),
  sent: v.undefinedable(v.object({ firing: v.set(v.string()), over: v.set(v.string()), atMs: time })),
  dueMs: time,
});

export const alertsForm: v.GenericSchema<unknown, AlertsForm> = v.object({
  format: v.literal(FORMAT, ({ received }) => `its format is ${received}, and this version reads ${FORMAT}`),
  atMs: time,
  states: v.map(v.string(), v.array(alert)),
  channel: v.undefinedable(v.object({ digest: v.string(), groups: v.array(group) })),
});
