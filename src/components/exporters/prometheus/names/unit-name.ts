/** The words for units in metric names, from OpenTelemetry's compatibility rules and the stock Collector. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);

const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

export interface UnitSuffixes {
  /** `bytes` of `By/s`; empty when the unit adds nothing. */
  readonly main: string;
  /** `per_second` of `By/s`. */
  readonly per: string;
}

/** Unknown units pass through; annotations in braces add nothing. */
export function unitSuffixes(unit: string): UnitSuffixes {
  const slash = unit.indexOf('/');
  const main = translate(slash < 0 ? unit : unit.slice(0, slash), UNITS);
  const per = slash < 0 ? '' : translate(unit.slice(slash + 1), PER_UNITS);
  return { main, per: per === '' ? '' : `per_${per}` };
}

function translate(unit: string, words: ReadonlyMap<string, string>): string {
  const trimmed = unit.trim();
  return /[{}]/.test(trimmed) ? '' : (words.get(trimmed) ?? trimmed);
}
