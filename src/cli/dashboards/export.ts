import { EXIT_FAILURE, EXIT_OK, UsageError, type Command, type CommandOptions } from '../command.ts';
import { readBounded } from '../read-bounded.ts';
import { hasDashboardTag } from '../../dashboards/dashboard-tag.ts';
import { choosePacks, dashboardFiles, packOptionLines, packOptions, type ChosenPacks } from './chosen-packs.ts';
import { writeOwnFiles, type OwnFile } from './write-own-files.ts';

const GRAFANA = 'grafana';
const RULES = 'prometheus';
const forms = [GRAFANA, RULES] as const;

export const exportDashboards: Command = {
  summary: 'write the dashboards as files for Grafana\u2019s provisioning, or the alert rules for Prometheus',
  optionLines: [
    '--dir DIR                    target folder; created if missing',
    `--form FORM                  ${forms.join(' or ')}; default ${GRAFANA}`,
    `--settings FILE              links and limits of the rules, see deploy/prometheus/README.md`,
    ...packOptionLines,
  ],
  takes: ['dir', 'form', 'settings'],
  takesMany: packOptions,
  example: 'siphon dashboards export --dir ./dashboards --pack ./shop-pack.ts --only shop',
  readsConfig: false,
  async run(options, context) {
    const { print, printError } = context;
    const { dir, form, settings } = readOptions(options);
    try {
      const packs = await choosePacks(options, context);
      const files = form === RULES ? await rules(packs, settings) : await dashboards(packs);
      const written = await writeOwnFiles(dir, files);
      const what = form === RULES ? 'rule files' : 'dashboards';
      print(`${dir}: ${files.length} ${what}, ${written} written, ${files.length - written} unchanged`);
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
  if (known === undefined) throw new UsageError(`--form is ${form}, but must be ${forms.join(' or ')}`);
  if (settings !== undefined && known !== RULES) throw new UsageError(`--settings needs --form ${RULES}`);
  return { dir, form: known, settings };
}

async function dashboards(packs: ChosenPacks): Promise<readonly OwnFile[]> {
  const files = await dashboardFiles(packs);
  return files.map(({ fileName, text }) => ({ fileName, text, isOwn: isOwnDashboard }));
}

function isOwnDashboard(text: string): boolean {
  try {
    return hasDashboardTag(JSON.parse(text));
  } catch {
    return false;
  }
}

/** The settings may also change alerts of packs that are not chosen, so that one file serves several exports. */
async function rules({ all, chosen }: ChosenPacks, settingsFile: string | undefined): Promise<readonly OwnFile[]> {
  const [{ ruleFiles, isOwnRuleFile }, { defaultSettings, readSettings }] = await Promise.all([
    import('../../dashboards/rules/rule-files.ts'),
    import('../../dashboards/rules/settings.ts'),
  ]);
  const settings =
    settingsFile === undefined ? defaultSettings : named(settingsFile, (text) => readSettings(text, all.alerts));
  return [...ruleFiles({ alerts: chosen.alerts, dashboards: all.dashboards }, settings)].map(([fileName, text]) => ({
    fileName,
    text,
    isOwn: isOwnRuleFile,
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
