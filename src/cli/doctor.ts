import { styleText } from 'node:util';
import { SECTION_OF } from '../engine/config/read-components.ts';
import { componentsInUse, type ComponentInUse } from '../engine/config/components-in-use.ts';
import type { Finding, Severity } from '../engine/component.ts';
import { aborted } from '../engine/aborted.ts';
import { EXIT_FAILURE, EXIT_OK, type Command, type CommandContext } from './command.ts';
import { readConfig } from './read-config.ts';

/** For one component. A component also limits each of its checks. */
const COMPONENT_TIMEOUT_MS = 120_000;

export const doctor: Command = {
  summary: 'check the databases, endpoints and files this configuration uses, and suggest fixes (changes nothing)',
  optionLines: [],
  readsConfig: true,
  async run(options, context) {
    const loaded = await readConfig(options, context);
    if (loaded === undefined) return EXIT_FAILURE;
    const components = componentsInUse(loaded.config).filter(({ factory }) => 'diagnose' in factory);
    const report = new Report(['configuration', ...components.map(nameOf)], context);
    if (options.configs.length === 0) {
      report.add('configuration', { severity: 'ok', what: `read from ${loaded.sources.join(', ')}` });
    }
    for (const what of loaded.warnings) report.add('configuration', { severity: 'warning', what });
    for (const component of components) {
      for await (const finding of findingsOf(component, context)) report.add(nameOf(component), finding);
    }
    report.end();
    return report.hasErrors ? EXIT_FAILURE : EXIT_OK;
  },
};

/** A failing check is a finding too, so that the checks of other components still run. */
async function* findingsOf(component: ComponentInUse, context: CommandContext): AsyncGenerator<Finding> {
  const { factory, config, id, signals } = component;
  const deadline = AbortSignal.timeout(COMPONENT_TIMEOUT_MS);
  const progress = (what: string): void => context.showProgress(`${nameOf(component)}: ${what} …`);
  progress('checking');
  try {
    const found = factory.diagnose!({ id, signals, deadline, progress }, config)[Symbol.asyncIterator]();
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

const colours = { ok: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<Severity, string>;

/** Prints one line for each finding as soon as it is known, and the totals. */
class Report {
  readonly #context: CommandContext;
  readonly #width: number;
  readonly #counts: Record<Severity, number> = { ok: 0, warning: 0, error: 0 };

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
    const { error, warning, ok } = this.#counts;
    this.#print(`${counted(error, 'error')}, ${counted(warning, 'warning')}, ${ok} ok`);
  }

  #print(line: string): void {
    this.#context.showProgress('');
    this.#context.print(line);
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}
