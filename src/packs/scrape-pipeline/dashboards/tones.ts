/** Colours of names that have the same meaning on all panels. */
import type { Tone } from '../../../dashboards/model/panel.ts';
import { httpStatuses } from '../labels.ts';

export const statusTones: Readonly<Record<string, Tone>> = { ok: 'good', partial: 'warning', fail: 'bad' };

export const httpTones: Readonly<Record<string, Tone>> = Object.fromEntries(
  httpStatuses.map((status) => [status, httpTone(status)]),
);

function httpTone(status: string): Tone {
  if (status === '200') return 'good';
  if (status === '304') return 'neutral';
  return status === '429' || status === 'other' ? 'warning' : 'bad';
}
