import { describeEmptyVariables, formatPath, type ConfigNode, type ConfigPath, type Place } from './config-node.ts';

/** One problem of a configuration. Never contains a value, because that may be a secret. */
export interface ConfigProblem {
  readonly place: Place;
  readonly path: ConfigPath;
  /** The mistake and the allowed values. */
  readonly message: string;
}

/** All problems of a configuration. The message has one line for each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** The value with the problem. An empty variable in it is the likely cause, so the message names it first. */
export type ProblemSource = Pick<ConfigNode, 'place' | 'emptyVariables'>;

/** Collects the problems of all checks, so that a user can fix them together. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];

  /** Keeps only the first problem of a setting: further ones mostly follow from it. */
  add(at: ProblemSource, path: ConfigPath, message: string): void {
    const known = this.#problems.some((problem) => formatPath(problem.path) === formatPath(path));
    const cause = describeEmptyVariables(at);
    const whole = cause === undefined ? message : `${cause}; ${message}`;
    if (!known) this.#problems.push({ place: at.place, path, message: whole });
  }

  /** @throws ConfigError if anything was added. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems.toSorted(byPlace));
  }
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return a.place.source.localeCompare(b.place.source) || (a.place.line ?? 0) - (b.place.line ?? 0);
}

/** `file:line path: message` */
export function formatProblem({ place, path, message }: ConfigProblem): string {
  const where = place.line === undefined ? place.source : `${place.source}:${place.line}`;
  return path.length === 0 ? `${where}: ${message}` : `${where} ${formatPath(path)}: ${message}`;
}
