/** Colours of names that mean the same everywhere. */
import { httpStatuses, jobErrorTypes } from '../../catalogue/labels.ts';
import type { Tone } from '../model/panel.ts';

export const statusTones: Readonly<Record<string, Tone>> = { ok: 'good', partial: 'warning', fail: 'bad' };

export const httpTones: Readonly<Record<string, Tone>> = Object.fromEntries(
  httpStatuses.map((status) => [status, httpTone(status)]),
);

/** Of jobs that succeeded or failed, the latter by reason. */
export const jobTones: Readonly<Record<string, Tone>> = {
  succeeded: 'good',
  ...Object.fromEntries(jobErrorTypes.map((type) => [failedJobs(type), 'bad'])),
};

export function failedJobs(type: string): string {
  return `failed: ${type}`;
}

function httpTone(status: string): Tone {
  if (status === '200') return 'good';
  if (status === '304') return 'neutral';
  return status === '429' || status === 'other' ? 'warning' : 'bad';
}
