import type { DashboardModel } from '../dashboards/model/dashboard-model.ts';
import type { RuleSource } from '../dashboards/rules/rule-files.ts';
import type { Factory } from '../engine/component.ts';
import type { Environment } from '../engine/config/expand.ts';

/** Everything that a command gets from `program.ts`, the only file that touches the process. */
export interface CommandContext {
  readonly environment: Environment;
  /** The built-in packs. */
  readonly packs: readonly PackSummary[];
  readonly version: string;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** True if printed text may have colours. */
  readonly hasColours: boolean;
  /** The width of the terminal in characters; 80 without a terminal. */
  readonly columns: number;
  /** Shows a line on a terminal in place of the one before. An empty text removes it. */
  readonly showProgress: (text: string) => void;
  /** The components that a configuration may use. */
  readonly factories: readonly Factory[];
  /**
   * Loads the dashboards and alerts of the built-in packs and of the packs in these modules.
   *
   * @throws Error that names the module.
   */
  readonly loadPacks: (files: readonly string[]) => Promise<readonly PackContent[]>;
  /** Imports a pack from a module and returns one sentence for each problem. */
  readonly checkPackFile: (file: string) => Promise<readonly string[]>;
  /** The preload of services, for `node --import`. */
  readonly preload: URL;
  /** Serves the page with the dashboards on 127.0.0.1. */
  readonly startPreview: (options: PreviewOptions) => Promise<Preview>;
}

export interface PreviewOptions {
  readonly prometheus: URL;
  readonly dashboards: readonly DashboardModel[];
  /** How often Prometheus scrapes siphon. */
  readonly scrapeS: number;
  readonly sentry?: URL;
  /** 0 for any free port. */
  readonly port: number;
}

export interface Preview {
  readonly url: string;
  close(): Promise<void>;
}

/** A pack as the command line sees it. */
export interface PackSummary {
  readonly name: string;
  /** One sentence. */
  readonly description: string;
}

/** The dashboards and alerts of a pack. */
export interface PackContent extends RuleSource {
  readonly name: string;
}

export interface Command {
  /** One line for the list of commands, in lower case and without a full stop. */
  readonly summary: string;
  /** The name of the argument that the command requires, as the help shows it. */
  readonly argument?: string;
  /** True if the arguments behind `--` are the command line of another program. */
  readonly takesCommandLine?: boolean;
  /** The help of the argument and the options that only this command has, one line each. */
  readonly optionLines: readonly string[];
  /** The names of these options that may be given once. Each has a value. */
  readonly takes?: readonly string[];
  /** The names of its options that may be repeated. Each has a value. */
  readonly takesMany?: readonly string[];
  /** The names of its options without a value. */
  readonly flags?: readonly string[];
  /** A command line, for the help. */
  readonly example: string;
  /** When it exits 1, for the help: a clause that starts with "if". Undefined if it never does. */
  readonly exitsOneIf?: string;
  /** True if the command has `--config` and `--set`. */
  readonly readsConfig: boolean;
  /**
   * Resolves with the exit code.
   *
   * @throws UsageError if the options are wrong.
   */
  run(options: CommandOptions, context: CommandContext): Promise<number>;
}

export interface CommandOptions {
  readonly configs: readonly string[];
  readonly sets: readonly string[];
  /** The values of the options that only this command has, by name. */
  readonly given: Readonly<Record<string, string | undefined>>;
  /** The values of the repeatable options that only this command has, by name. */
  readonly lists: Readonly<Record<string, readonly string[] | undefined>>;
  /** The options without a value that are given. */
  readonly flags: ReadonlySet<string>;
  /** The command line behind `--`, if the command takes one; at least one word. */
  readonly commandLine?: readonly string[];
  /** The value of the argument, if the command has one. */
  readonly argument?: string;
}

/** The options are wrong: the command prints the mistake and exits 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
