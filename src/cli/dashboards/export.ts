import { EXIT_FAILURE, EXIT_OK, UsageError, type Command, type CommandOptions } from '../command.ts';
import { counted } from '../counted.ts';
import { readBounded } from '../read-bounded.ts';
import { hasDashboardTag } from '../../dashboards/dashboard-tag.ts';
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
    `--settings FILE              links and limits of the rules, see deploy/prometheus/README.md`,
    ...packOptionLines,
  ],
  takes: ['dir', 'form', 'settings'],
  takesMany: packOptions,
  example: 'siphon dashboards export --dir ./dashboards --pack ./shop-pack.ts --only shop',
  exitsOneIf: 'if a pack or the settings have a problem, or a file cannot be written',
  readsConfig: false,
  async run(options, context) {
    const { print, printError } = context;
    const { dir, form, settings } = readOptions(options);
    try {
      const packs = await choosePacks(options, context);
      const files = await filesOf(packs, { form, settings });
      const written = await writeGeneratedFiles(dir, files);
      print(`${dir}: ${counted(files.length, WRITTEN[form])}, ${written} written, ${files.length - written} unchanged`);
      return EXIT_OK;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      printError(error instanceof Error ? error.message : String(error));
      return EXIT_FAILURE;
    }
  },
};

interface ExportOptions {
  readonly dir: string;
  readonly form: (typeof forms)[number];
  readonly settings: string | undefined;
}

function readOptions({ given: { dir, form = GRAFANA, settings } }: CommandOptions): ExportOptions {
  if (dir === undefined || dir === '') throw new UsageError('--dir DIR is required');
  const known = forms.find((one) => one === form);
  if (known === undefined) throw new UsageError(`--form is ${form}, but must be one of ${forms.join(', ')}`);
  if (settings !== undefined && known !== RULES) throw new UsageError(`--settings needs --form ${RULES}`);
  return { dir, form: known, settings };
}

const WRITTEN = { [GRAFANA]: 'dashboard', [RULES]: 'rule file', [RUNBOOKS]: 'runbook' };

async function filesOf(
  packs: ChosenPacks,
  { form, settings }: Omit<ExportOptions, 'dir'>,
): Promise<readonly GeneratedFile[]> {
  if (form === RULES) return await rules(packs, settings);
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

/** The settings may also change alerts of packs that are not chosen, so that one file serves several exports. */
async function rules(
  { all, chosen }: ChosenPacks,
  settingsFile: string | undefined,
): Promise<readonly GeneratedFile[]> {
  const [{ ruleFiles, isGeneratedRuleFile }, { defaultSettings, readSettings }] = await Promise.all([
    import('../../dashboards/rules/rule-files.ts'),
    import('../../dashboards/rules/settings.ts'),
  ]);
  const settings =
    settingsFile === undefined ? defaultSettings : named(settingsFile, (text) => readSettings(text, all.alerts));
  return [...ruleFiles({ alerts: chosen.alerts, dashboards: all.dashboards }, settings)].map(([fileName, text]) => ({
    fileName,
    text,
    isGenerated: isGeneratedRuleFile,
  }));
}

function named<Result>(file: string, read: (text: string) => Result): Result {
  try {
    return read(readBounded(file));
  } catch (error) {
    const lines = (error as Error).message.split('\n').map((line) => `${file}: ${line}`);
    throw new Error(`${lines.join('\n')}\nnothing was written`, { cause: error });
  }
}
