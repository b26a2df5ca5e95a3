import type { Factory } from '../engine/component.ts';
import type { Environment } from '../engine/config/expand.ts';

/** What `main.ts`, which alone touches the process, hands to a command. */
export interface CommandContext {
  readonly environment: Environment;
  readonly version: string;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Whether what is printed may have colours. */
  readonly hasColours: boolean;
  /** Shows a line in place of the one before, to whoever watches; an empty one takes it away. */
  readonly showProgress: (text: string) => void;
  /** The components that a configuration may use. */
  readonly factories: readonly Factory[];
  /** Where the dashboards are that siphon brings along. */
  readonly dashboardsFolder: string;
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Further options of this command alone, one line each. */
  readonly optionLines: readonly string[];
  /** Names of those options, each of which has a value. */
  readonly takes?: readonly string[];
  /** Whether it takes `--config` and `--set`. */
  readonly readsConfig: boolean;
  /**
   * Resolves with the exit code.
   *
   * @throws UsageError if the options are not what it takes.
   */
  run(options: CommandOptions, context: CommandContext): Promise<number>;
}

export interface CommandOptions {
  readonly configs: readonly string[];
  readonly sets: readonly string[];
  /** What was given for the options of the command alone, by name. */
  readonly given: Readonly<Record<string, string | undefined>>;
}

/** The options are wrong: the command is not run, and its help is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
