import { styleText } from 'node:util';
import { SECTION_OF } from '../engine/config/read-components.ts';
import { componentsInUse, type ComponentInUse } from '../engine/config/components-in-use.ts';
import type { CollectorConfig } from '../engine/collector-config.ts';
import type { Finding, Severity } from '../engine/component.ts';
import { aborted } from '../engine/aborted.ts';
import {
  EXIT_FAILURE,
  EXIT_OK,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from './command.ts';
import { counted } from './counted.ts';
import { readConfig, type ReadConfig } from './read-config.ts';

/** For one component. A component also limits each of its checks. */
const COMPONENT_TIMEOUT_MS = 120_000;

const OWN_METRICS = 'service::telemetry';

export const doctor: Command = {
  summary: 'check the databases, endpoints and files this configuration uses, and suggest fixes (changes nothing)',
  optionLines: [
    '--sql                        print the SQL that prepares the databases for this configuration: the role, its rights',
    '                             and indexes. It can be run again',
    '--undo                       with --sql: print what reverts it',
    '--role NAME                  with --sql: the name of the role; default: siphon',
  ],
  flags: ['sql', 'undo'],
  takes: ['role'],
  example: 'DATABASE_URL=postgresql://siphon@127.0.0.1/shop siphon doctor',
  exitsOneIf: 'if the configuration has a problem or a finding is an error',
  readsConfig: true,
  async run(options, context) {
    const loaded = await readConfig(options, context);
    if (loaded === undefined) return EXIT_FAILURE;
    if (options.flags.has('sql')) return await printSql(loaded.config, options, context);
    if (options.flags.has('undo') || options.given['role'] !== undefined)
      throw new UsageError('--undo and --role need --sql');
    return await diagnose(loaded, options, context);
  },
};

async function diagnose(loaded: ReadConfig, options: CommandOptions, context: CommandContext): Promise<number> {
  const components = componentsInUse(loaded.config).filter(({ factory }) => 'diagnose' in factory);
  const own = loaded.config.service.telemetry.metrics;
  const report = new Report(['configuration', ...components.map(nameOf), ...(own ? [OWN_METRICS] : [])], context);
  if (options.configs.length === 0) {
    report.add('configuration', { severity: 'ok', what: `read from ${loaded.sources.join(', ')}` });
  }
  for (const what of loaded.warnings) report.add('configuration', { severity: 'warning', what });
  for (const finding of unusedVariables(loaded.config, context)) report.add('configuration', finding);
  for (const component of components) {
    for await (const finding of findingsOf(component, context)) report.add(nameOf(component), finding);
  }
  if (own !== undefined) {
    const { listeningFindings } = await import('../engine/net/endpoint-findings.ts');
    for await (const finding of listeningFindings(own)) report.add(OWN_METRICS, finding);
  }
  report.end();
  return report.hasErrors ? EXIT_FAILURE : EXIT_OK;
}

const DEFAULT_ROLE = 'siphon';

/** Prints the statements of each component that has a database. Several components of one database may share the role. */
async function printSql(config: CollectorConfig, options: CommandOptions, context: CommandContext): Promise<number> {
  const components = componentsInUse(config).filter(({ factory }) => factory.setup !== undefined);
  if (components.length === 0) {
    context.printError('no component in a pipeline of this configuration uses a database: add db_poller, which siphon init writes when DATABASE_URL is set'); // prettier-ignore
    return EXIT_FAILURE;
  }
  const role = options.given['role'] ?? DEFAULT_ROLE;
  for (const component of components) {
    const { apply, undo } = await component.factory.setup!({ role }, component.config);
    const names = components.length === 1 ? '' : `-- ${nameOf(component)}\n\n`;
    context.print(`${names}${options.flags.has('undo') ? undo : apply}`);
  }
  return EXIT_OK;
}

/** The variables of a service that components read, with these components. */
const VARIABLES = { DATABASE_URL: ['db_poller', 'sqlquery'], SENTRY_DSN: ['sentry'] } as const;

/** A configuration that was written before the variable was set has no component that uses it. */
function unusedVariables(config: CollectorConfig, { environment }: CommandContext): Finding[] {
  const used: ReadonlySet<string> = new Set(componentsInUse(config).map(({ factory }) => factory.type));
  return Object.entries(VARIABLES)
    .filter(([variable, types]) => (environment[variable] ?? '') !== '' && !types.some((type) => used.has(type)))
    .map(([variable, types]) => ({
      severity: 'warning',
      what: `${variable} is set, but no pipeline uses ${types.join(' or ')}`,
      repair: `Add ${types[0]} to the configuration. siphon init writes it when the variable is set`,
    }));
}

/** A failing check is a finding too, so that the checks of other components still run. */
async function* findingsOf(component: ComponentInUse, context: CommandContext): AsyncGenerator<Finding> {
  const { factory, config, id, signals, emptyValues } = component;
  const deadline = AbortSignal.timeout(COMPONENT_TIMEOUT_MS);
  const progress = (what: string): void => context.showProgress(`${nameOf(component)}: ${what} …`);
  progress('checking');
  try {
    const found = factory.diagnose!({ id, signals, deadline, progress, emptyValues }, config)[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([found.next(), aborted(deadline)]);
      if (next === undefined) {
        yield { severity: 'error', what: `the checks did not finish within ${COMPONENT_TIMEOUT_MS / 1000} s` };
        return;
      }
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    yield { severity: 'error', what: `the checks failed: ${error instanceof Error ? error.message : 'unknown'}` };
  }
}

function nameOf({ factory, id }: ComponentInUse): string {
  return `${SECTION_OF[factory.kind]}::${id}`;
}

const colours = { ok: 'green', note: 'cyan', warning: 'yellow', error: 'red' } as const satisfies Record<
  Severity,
  string
>;

/** Prints one line for each finding as soon as it is known, and the totals. */
class Report {
  readonly #context: CommandContext;
  readonly #width: number;
  readonly #counts: Record<Severity, number> = { ok: 0, note: 0, warning: 0, error: 0 };

  constructor(names: readonly string[], context: CommandContext) {
    this.#context = context;
    this.#width = Math.max(...names.map((name) => name.length));
  }

  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  add(name: string, { severity, what, repair }: Finding): void {
    this.#counts[severity]++;
    const label = severity.padEnd('warning'.length);
    // Text from a database must not move the cursor or start a new line.
    const text = (repair === undefined ? what : `${what}. ${repair}`).replaceAll(/\p{Cc}+/gu, ' ');
    const coloured = styleText(colours[severity], label, { validateStream: false });
    this.#print(`${this.#context.hasColours ? coloured : label}  ${name.padEnd(this.#width)}  ${text}`);
  }

  end(): void {
    const { error, warning, note, ok } = this.#counts;
    const notes = note === 0 ? [] : [counted(note, 'note')];
    this.#print([counted(error, 'error'), counted(warning, 'warning'), ...notes, `${ok} ok`].join(', '));
  }

  #print(line: string): void {
    this.#context.showProgress('');
    this.#context.print(line);
  }
}
