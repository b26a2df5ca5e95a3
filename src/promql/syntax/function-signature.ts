export interface FunctionSignature {
  readonly takes: readonly ArgumentType[];
  /** How many of the last arguments may be left out. */
  readonly optional: number;
  /** True if the last argument may be repeated. */
  readonly repeats?: boolean;
  readonly returns: 'scalar' | 'vector';
}

type ArgumentType = 'scalar' | 'vector' | 'matrix' | 'string';

function taking(...takes: readonly ArgumentType[]): FunctionSignature {
  return { takes, optional: 0, returns: 'vector' };
}

const ofRange = taking('matrix');
const ofVector = taking('vector');
const ofTime: FunctionSignature = { takes: ['vector'], optional: 1, returns: 'vector' };

/** The functions of Prometheus 2.42, but for those of native histograms and for holt_winters. */
export const signatures = {
  abs: ofVector,
  absent: ofVector,
  absent_over_time: ofRange,
  acos: ofVector,
  acosh: ofVector,
  asin: ofVector,
  asinh: ofVector,
  atan: ofVector,
  atanh: ofVector,
  avg_over_time: ofRange,
  ceil: ofVector,
  changes: ofRange,
  clamp: taking('vector', 'scalar', 'scalar'),
  clamp_max: taking('vector', 'scalar'),
  clamp_min: taking('vector', 'scalar'),
  cos: ofVector,
  cosh: ofVector,
  count_over_time: ofRange,
  day_of_month: ofTime,
  day_of_week: ofTime,
  day_of_year: ofTime,
  days_in_month: ofTime,
  deg: ofVector,
  delta: ofRange,
  deriv: ofRange,
  exp: ofVector,
  floor: ofVector,
  histogram_quantile: taking('scalar', 'vector'),
  hour: ofTime,
  idelta: ofRange,
  increase: ofRange,
  irate: ofRange,
  label_join: { takes: ['vector', 'string', 'string', 'string'], optional: 1, repeats: true, returns: 'vector' },
  label_replace: taking('vector', 'string', 'string', 'string', 'string'),
  last_over_time: ofRange,
  ln: ofVector,
  log10: ofVector,
  log2: ofVector,
  max_over_time: ofRange,
  min_over_time: ofRange,
  minute: ofTime,
  month: ofTime,
  pi: { takes: [], optional: 0, returns: 'scalar' },
  predict_linear: taking('matrix', 'scalar'),
  present_over_time: ofRange,
  quantile_over_time: taking('scalar', 'matrix'),
  rad: ofVector,
  rate: ofRange,
  resets: ofRange,
  round: { takes: ['vector', 'scalar'], optional: 1, returns: 'vector' },
  scalar: { takes: ['vector'], optional: 0, returns: 'scalar' },
  sgn: ofVector,
  sin: ofVector,
  sinh: ofVector,
  sort: ofVector,
  sort_desc: ofVector,
  sqrt: ofVector,
  stddev_over_time: ofRange,
  stdvar_over_time: ofRange,
  sum_over_time: ofRange,
  tan: ofVector,
  tanh: ofVector,
  time: { takes: [], optional: 0, returns: 'scalar' },
  timestamp: ofVector,
  vector: taking('scalar'),
  year: ofTime,
} as const satisfies Readonly<Record<string, FunctionSignature>>;

export type FunctionName = keyof typeof signatures;

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(signatures, name);
}
