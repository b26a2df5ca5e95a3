import { formatPath, type ConfigPath, type Place } from './config-node.ts';

/** One thing that is wrong with a configuration. Never holds a value, since that may be a secret. */
export interface ConfigProblem {
  readonly place: Place;
  readonly path: ConfigPath;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** Everything that is wrong with a configuration, at once. The message has one line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.problems = problems;
  }
}

/** Collects while checks go on, so that a user repairs a file once and not once for each mistake. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];

  /** The first problem of a setting counts: what else is wrong with it mostly follows from that one. */
  add(place: Place, path: ConfigPath, message: string): void {
    const known = this.#problems.some((problem) => formatPath(problem.path) === formatPath(path));
    if (!known) this.#problems.push({ place, path, message });
  }

  /** @throws ConfigError if anything was added. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems.toSorted(byPlace));
  }
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return a.place.source.localeCompare(b.place.source) || (a.place.line ?? 0) - (b.place.line ?? 0);
}

/** `file:line path: what is wrong, what is allowed` */
export function formatProblem({ place, path, message }: ConfigProblem): string {
  const where = place.line === undefined ? place.source : `${place.source}:${place.line}`;
  return path.length === 0 ? `${where}: ${message}` : `${where} ${formatPath(path)}: ${message}`;
}
