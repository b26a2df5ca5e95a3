import { parseArgs } from 'node:util';
import { suggest } from '../engine/config/nearest-name.ts';
import {
  EXIT_FAILURE,
  EXIT_OK,
  EXIT_USAGE,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from './command.ts';
import { checkPack } from './check-pack.ts';
import { exportDashboards } from './dashboards/export.ts';
import { previewDashboards } from './dashboards/preview.ts';
import { pushDashboards } from './dashboards/push.ts';
import { dev } from './dev.ts';
import { doctor } from './doctor.ts';
import { init } from './init.ts';
import { listComponents } from './list-components.ts';
import { listPacks } from './list-packs.ts';
import { health } from './health.ts';
import { printConfig } from './print-config.ts';
import { reload } from './reload.ts';
import { run } from './run.ts';
import { alerts } from './store/alerts.ts';
import { compare } from './store/compare.ts';
import { errors } from './store/errors.ts';
import { exemplars } from './store/exemplars.ts';
import { incident } from './store/incident.ts';
import { logs } from './store/logs.ts';
import { trace } from './store/trace.ts';
import { traces } from './store/traces.ts';
import { validate } from './validate.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  init,
  run,
  dev,
  reload,
  health,
  validate,
  doctor,
  trace,
  traces,
  logs,
  errors,
  exemplars,
  alerts,
  compare,
  incident,
  components: listComponents,
  packs: listPacks,
  'packs check': checkPack,
  'print-config': printConfig,
  'dashboards export': exportDashboards,
  'dashboards preview': previewDashboards,
  'dashboards push': pushDashboards,
};

/** Runs the command that the arguments name. Resolves with the exit code. */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  const [name, rest] = splitName(args);
  if (name === '--version' || name === 'version') return answer(context, context.version);
  if (name === '--help' || name === '-h' || name === 'help') return answer(context, overview());
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return withoutCommand(args, context);
  try {
    const options = parseOptions(command, rest);
    return options === 'help' ? answer(context, helpOf(name, command)) : await command.run(options, context);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    return refuse(context, `${error.message}\nRun 'siphon ${name} --help' for its options`);
  }
}

/** A group of commands such as `dashboards` has a help, too. */
function withoutCommand(args: readonly string[], context: CommandContext): number {
  const [first = '', second = ''] = args;
  if (first === '') return refuse(context, overview());
  const group = Object.keys(COMMANDS).filter((name) => name.startsWith(`${first} `));
  if (group.length === 0) {
    const known = [...new Set(Object.keys(COMMANDS).flatMap((name) => [name, name.split(' ')[0] as string]))];
    return refuse(context, `unknown command: ${first}${suggest(first, known)}\nRun 'siphon --help' for the commands`);
  }
  if (second === '--help' || second === '-h') return answer(context, overview(group));
  if (second === '') return refuse(context, overview(group));
  const written = `${first} ${second}`;
  return refuse(context, `unknown command: ${written}${suggest(written, group)}\nKnown: ${group.join(', ')}`);
}

/** The name of a command has one or two words. */
function splitName(args: readonly string[]): [name: string, rest: string[]] {
  const twoWords = args.slice(0, 2).join(' ');
  return Object.hasOwn(COMMANDS, twoWords) ? [twoWords, args.slice(2)] : [args[0] ?? '', args.slice(1)];
}

const HELP = { help: { type: 'boolean', short: 'h' } } as const;
const CONFIG = { config: { type: 'string', multiple: true }, set: { type: 'string', multiple: true } } as const;

function parseOptions(command: Command, args: readonly string[]): CommandOptions | 'help' {
  if (command.takesCommandLine !== true) return parseOwnOptions(command, args);
  const at = args.indexOf('--');
  const options = parseOwnOptions(command, at === -1 ? args : args.slice(0, at));
  if (options === 'help') return options;
  const commandLine = at === -1 ? [] : args.slice(at + 1);
  if (commandLine.length === 0) throw new UsageError('a command is required behind --, for example -- node app.js');
  return { ...options, commandLine };
}

function parseOwnOptions(command: Command, args: readonly string[]): CommandOptions | 'help' {
  const { readsConfig, argument } = command;
  const options = { ...HELP, ...(readsConfig && CONFIG), ...declaredOptions(command) };
  refuseUnknown(args, Object.keys(options));
  // The values have this form, because other options are refused.
  const { values, positionals } = parseArgs({
    args: [...args],
    options: options as typeof HELP & typeof CONFIG,
    allowPositionals: argument !== undefined,
  });
  if (values.help === true) return 'help';
  if (argument !== undefined && positionals.length !== 1) throw new UsageError(`one ${argument} is required`);
  const [value] = positionals;
  const { help: _, config = [], set = [], ...others } = values;
  return { configs: config, sets: set, ...declaredValues(others), ...(value !== undefined && { argument: value }) };
}

/** parseArgs would advise how to pass the option as an argument. */
function refuseUnknown(args: readonly string[], known: readonly string[]): void {
  const { tokens } = parseArgs({ args: [...args], strict: false, tokens: true, allowPositionals: true });
  for (const token of tokens) {
    if (token.kind !== 'option' || token.rawName.length < 3 || known.includes(token.name)) continue;
    const options = known.map((name) => `--${name}`);
    throw new UsageError(`Unknown option '${token.rawName}'${suggest(token.rawName, options)}`);
  }
}

function declaredOptions({
  takes = [],
  takesMany = [],
  flags = [],
}: Command): Record<string, { type: 'string' | 'boolean'; multiple: boolean }> {
  return Object.fromEntries([
    ...takes.map((name) => [name, { type: 'string', multiple: false }] as const),
    ...takesMany.map((name) => [name, { type: 'string', multiple: true }] as const),
    ...flags.map((name) => [name, { type: 'boolean', multiple: false }] as const),
  ]);
}

function declaredValues(values: Readonly<Record<string, unknown>>): Pick<CommandOptions, 'given' | 'lists' | 'flags'> {
  const all = Object.entries(values);
  const given = all.filter(([, value]) => typeof value === 'string');
  const lists = all.filter(([, value]) => Array.isArray(value));
  const flags = all.filter(([, value]) => value === true).map(([name]) => name);
  return {
    given: Object.fromEntries(given),
    lists: Object.fromEntries(lists),
    flags: new Set(flags),
  } as Pick<CommandOptions, 'given' | 'lists' | 'flags'>;
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_');
}

function answer(context: CommandContext, text: string): number {
  context.print(text);
  return EXIT_OK;
}

function refuse(context: CommandContext, text: string): number {
  context.printError(text);
  return EXIT_USAGE;
}

function overview(names: readonly string[] = Object.keys(COMMANDS)): string {
  const width = Math.max(...names.map(({ length }) => length));
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${(COMMANDS[name] as Command).summary}`);
  return [
    'Usage: siphon COMMAND [options]',
    '',
    ...lines,
    '',
    "Run 'siphon COMMAND --help' for the options of a command, 'siphon --version' for the version.",
  ].join('\n');
}

function helpOf(name: string, command: Command): string {
  const { summary, readsConfig, argument, takesCommandLine, optionLines, example, exitsOneIf } = command;
  const configLines = [
    '--config FILE                configuration: a file, env:VARIABLE or yaml:TEXT; may be repeated, later ones win;',
    '                             default: ./otel-collector.yaml if it exists, otherwise the built-in configuration',
    '--set KEY.KEY=VALUE          override one setting; may be repeated',
  ];
  const usage = [
    'Usage: siphon',
    name,
    ...(argument === undefined ? [] : [argument]),
    '[options]',
    ...(takesCommandLine === true ? ['-- COMMAND'] : []),
  ].join(' ');
  const options = [...(readsConfig ? configLines : []), ...optionLines, '--help                       show this help'];
  const failure = exitsOneIf === undefined ? '' : `${EXIT_FAILURE} ${exitsOneIf}; `;
  const exitCodes = `Exit codes: ${EXIT_OK} on success; ${failure}${EXIT_USAGE} if the command line is wrong`;
  const end = ['', `Example: ${example}`, '', exitCodes];
  return [usage, '', `  ${summary}`, '', ...options.map((line) => `  ${line}`), ...end].join('\n');
}
