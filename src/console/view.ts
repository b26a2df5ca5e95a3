/** The choices of a reader in the address. The parameters are Grafana's, so links work in both. */
import type { DashboardModel } from '../dashboards/model/dashboard-model.ts';
import type { Span } from './data-source.ts';
import { secondsOf } from '../dashboards/promql/duration.ts';
import type { Choices } from './expression.ts';

export interface View {
  readonly time: Time;
  /** The refresh interval as a duration. Undefined: never. */
  readonly refresh: string | undefined;
  readonly choices: Choices;
}

/** A duration up to now, which moves on; or a range between two times. */
export type Time = { readonly last: string } | Span;

export function viewOf({ from, refresh, variables }: DashboardModel, address: URLSearchParams): View {
  const every = address.get('refresh') ?? refresh;
  const choices = variables.flatMap((variable): [string, readonly string[] | undefined][] => {
    if (variable.kind === 'datasource') return [];
    const chosen = address.getAll(`var-${variable.name}`).filter((value) => value !== ALL);
    return [[variable.name, chosen.length === 0 ? undefined : chosen]];
  });
  return {
    time: timeOf(address.get('from') ?? '', address.get('to') ?? 'now') ?? { last: from },
    refresh: secondsOf(every) === undefined ? undefined : every,
    choices: Object.fromEntries(choices),
  };
}

const ALL = '$__all';

export function addressOf(uid: string, { time, refresh, choices }: View): string {
  const [from, to] = 'last' in time ? [`now-${time.last}`, 'now'] : [time.fromS, time.toS].map(milliseconds);
  const address = new URLSearchParams({ from: String(from), to: String(to), refresh: refresh ?? '' });
  for (const [name, chosen] of Object.entries(choices)) {
    for (const value of chosen ?? [ALL]) address.append(`var-${name}`, value);
  }
  return `/d/${uid}?${address.toString()}`;
}

/** From when to when it is, at this moment. */
export function spanOf(time: Time, nowS: number): Span {
  return 'last' in time ? { fromS: nowS - (secondsOf(time.last) ?? 3600), toS: nowS } : time;
}

/** A graph of less has no two points. */
const SHORTEST_S = 10;

/** Long enough to be drawn; undefined if it is not one. */
export function between(fromS: number, toS: number): Span | undefined {
  return toS - fromS >= SHORTEST_S ? { fromS, toS } : undefined;
}

/** Twice as much, around the same moment, but not what is yet to come. */
export function widened({ fromS, toS }: Span, nowS: number): Span {
  const half = (toS - fromS) / 2;
  const end = Math.max(toS, Math.min(nowS, toS + half));
  return { fromS: end - 4 * half, toS: end };
}

function timeOf(from: string, to: string): Time | undefined {
  if (to === 'now') {
    const last = /^now-(\w+)$/.exec(from)?.[1] ?? '';
    if (secondsOf(last) !== undefined) return { last };
  }
  const [fromS, toS] = [from, to].map(momentOf);
  return fromS === undefined || toS === undefined ? undefined : between(fromS, toS);
}

/** The time of `now`, `now-1h`, milliseconds, or an ISO 8601 date. */
function momentOf(text: string): number | undefined {
  const [isRelative, ago] = /^now(?:-(\w+))?$/.exec(text) ?? [];
  if (isRelative !== undefined) {
    const seconds = ago === undefined ? 0 : secondsOf(ago);
    return seconds === undefined ? undefined : Math.floor(Date.now() / 1000) - seconds;
  }
  const atS = (/^\d{1,14}$/.test(text) ? Number(text) : Date.parse(text)) / 1000;
  return atS > 0 ? atS : undefined;
}

function milliseconds(atS: number): string {
  return String(Math.round(atS * 1000));
}
