const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The seconds of a duration such as `5m` or `30d`. Undefined if it is not a duration. */
export function secondsOf(duration: string): number | undefined {
  const [, digits = '', letter = ''] = /^(\d{1,6})([smhdw])$/.exec(duration) ?? [];
  const seconds = SECONDS[letter];
  return seconds === undefined || Number(digits) === 0 ? undefined : Number(digits) * seconds;
}
