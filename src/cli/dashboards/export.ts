import { EXIT_FAILURE, EXIT_OK, UsageError, type Command, type CommandOptions } from '../command.ts';
import { counted } from '../counted.ts';
import { readBounded } from '../read-bounded.ts';
import { hasDashboardTag } from '../../dashboards/dashboard-tag.ts';
import type { RuleSource } from '../../dashboards/rules/rule-files.ts';
import { choosePacks, dashboardFiles, packOptionLines, packOptions, type ChosenPacks } from './chosen-packs.ts';
import { runbookFiles } from './runbook-files.ts';
import { writeGeneratedFiles, type GeneratedFile } from './write-generated-files.ts';

const GRAFANA = 'grafana';
const RULES = 'prometheus';
const RUNBOOKS = 'runbooks';
const forms = [GRAFANA, RULES, RUNBOOKS] as const;

export const exportDashboards: Command = {
  summary:
    'write the dashboards as files for Grafana\u2019s provisioning, the alert rules for Prometheus, or their runbooks',
  optionLines: [
    '--dir DIR                    target folder; created if missing',
    `--form FORM                  ${forms.join(', ')}; default ${GRAFANA}`,
    '--runbooks URL               folder of the runbooks that the alerts link to; default: the published package',
    '--settings FILE              links and limits of the rules, see deploy/prometheus/README.md',
    ...packOptionLines,
  ],
  takes: ['dir', 'form', 'runbooks', 'settings'],
  takesMany: packOptions,
  example: 'siphon dashboards export --dir ./dashboards --pack ./shop-pack.ts --only shop',
  exitsOneIf: 'if a pack or the settings have a problem, or a file cannot be written',
  readsConfig: false,
  async run(options, context) {
    const { print, printError } = context;
    const { dir, form, ...linked } = readOptions(options);
    try {
      const packs = await choosePacks(options, context);
      const { files, notice } = form === RULES ? await rules(packs, linked) : { files: await filesOf(packs, form) };
      const written = await writeGeneratedFiles(dir, files);
      print(`${dir}: ${counted(files.length, WRITTEN[form])}, ${written} written, ${files.length - written} unchanged`);
      if (notice !== undefined) print(notice);
      return EXIT_OK;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      printError(error instanceof Error ? error.message : String(error));
      return EXIT_FAILURE;
    }
  },
};

interface LinkOptions {
  /** Overrides the address in the settings. */
  readonly runbooks: string | undefined;
  /** The name of the settings file. */
  readonly settings: string | undefined;
}

interface ExportOptions extends LinkOptions {
  readonly dir: string;
  readonly form: (typeof forms)[number];
}

function readOptions({ given: { dir, form = GRAFANA, runbooks, settings } }: CommandOptions): ExportOptions {
  if (dir === undefined || dir === '') throw new UsageError('--dir DIR is required');
  const known = forms.find((one) => one === form);
  if (known === undefined) throw new UsageError(`--form is ${form}, but must be one of ${forms.join(', ')}`);
  for (const [option, value] of Object.entries({ runbooks, settings })) {
    if (value !== undefined && known !== RULES) throw new UsageError(`--${option} needs --form ${RULES}`);
  }
  return { dir, form: known, runbooks, settings };
}

const WRITTEN = { [GRAFANA]: 'dashboard', [RULES]: 'rule file', [RUNBOOKS]: 'runbook' };

async function filesOf(packs: ChosenPacks, form: typeof GRAFANA | typeof RUNBOOKS): Promise<readonly GeneratedFile[]> {
  return form === RUNBOOKS ? await runbookFiles(packs.chosen) : await dashboards(packs);
}

async function dashboards(packs: ChosenPacks): Promise<readonly GeneratedFile[]> {
  const files = await dashboardFiles(packs);
  return files.map(({ fileName, text }) => ({ fileName, text, isGenerated: isGeneratedDashboard }));
}

function isGeneratedDashboard(text: string): boolean {
  try {
    return hasDashboardTag(JSON.parse(text));
  } catch {
    return false;
  }
}

interface ExportedRules {
  readonly files: readonly GeneratedFile[];
  readonly notice?: string;
}

/** The settings may also change alerts of packs that are not chosen, so that one file serves several exports. */
async function rules({ all, chosen }: ChosenPacks, { runbooks, settings }: LinkOptions): Promise<ExportedRules> {
  const [{ ruleFiles, isGeneratedRuleFile }, { defaultSettings, isWebAddress, readSettings }] = await Promise.all([
    import('../../dashboards/rules/rule-files.ts'),
    import('../../dashboards/rules/settings.ts'),
  ]);
  if (runbooks !== undefined && !isWebAddress(runbooks))
    throw new UsageError('--runbooks must be an address such as https://wiki.example.com/siphon');
  const read = settings === undefined ? defaultSettings : named(settings, (text) => readSettings(text, all.alerts));
  const links = { ...read.links, ...(runbooks !== undefined && { runbooks: runbooks.replace(/\/+$/, '') }) };
  const written = ruleFiles({ alerts: chosen.alerts, dashboards: all.dashboards }, { ...read, links });
  const files = [...written].map(([fileName, text]) => ({ fileName, text, isGenerated: isGeneratedRuleFile }));
  return {
    files,
    ...(links.runbooks === undefined && chosen.alerts.length > 0 && { notice: placesOfRunbooks(chosen) }),
  };
}

/** The command cannot know whether these pages exist: a version may not be published, a reader may be offline. */
function placesOfRunbooks({ alerts }: RuleSource): string {
  const hosts = new Set(alerts.map(({ runbooks }) => URL.parse(runbooks)?.host ?? runbooks));
  return `The alerts link to runbooks on ${[...hosts].join(' and ')}. Open one of the links; --runbooks URL names another folder`;
}

function named<Result>(file: string, read: (text: string) => Result): Result {
  try {
    return read(readBounded(file));
  } catch (error) {
    const lines = (error as Error).message.split('\n').map((line) => `${file}: ${line}`);
    throw new Error(`${lines.join('\n')}\nnothing was written`, { cause: error });
  }
}
