/** What a reader has chosen, as it stands in the address: the parameters are Grafana's, so links fit either. */
import type { PlainDashboard } from '../dashboards/model/plain.ts';
import { secondsOf } from './duration.ts';
import type { Choices } from './expression.ts';

export interface View {
  /** How far back, as a duration. */
  readonly range: string;
  /** How often it is asked anew, as a duration; undefined for never. */
  readonly refresh: string | undefined;
  readonly choices: Choices;
}

export function viewOf({ from, refresh, variables }: PlainDashboard, address: URLSearchParams): View {
  const range = /^now-(\w+)$/.exec(address.get('from') ?? '')?.[1] ?? '';
  const every = address.get('refresh') ?? refresh;
  const choices = variables.flatMap((variable): [string, readonly string[] | undefined][] => {
    if (variable.kind === 'datasource') return [];
    const chosen = address.getAll(`var-${variable.name}`).filter((value) => value !== ALL);
    if (variable.kind === 'values') return [[variable.name, chosen.length === 0 ? undefined : chosen]];
    const [value = ''] = chosen;
    return [[variable.name, [variable.values.includes(value) ? value : variable.first]]];
  });
  return {
    range: secondsOf(range) === undefined ? from : range,
    refresh: secondsOf(every) === undefined ? undefined : every,
    choices: Object.fromEntries(choices),
  };
}

const ALL = '$__all';

export function addressOf(uid: string, { range, refresh, choices }: View): string {
  const address = new URLSearchParams({ from: `now-${range}`, to: 'now', refresh: refresh ?? '' });
  for (const [name, chosen] of Object.entries(choices)) {
    for (const value of chosen ?? [ALL]) address.append(`var-${name}`, value);
  }
  return `/d/${uid}?${address.toString()}`;
}
