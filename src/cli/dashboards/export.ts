import { EXIT_FAILURE, EXIT_OK, UsageError, type Command, type CommandOptions } from '../command.ts';
import { readBounded } from '../read-bounded.ts';
import { forms, isOwn, shippedDashboards, type Form } from './shipped.ts';
import { writeOwnFiles, type OwnFile } from './write-own-files.ts';

const RULES = 'prometheus';
const allForms = [...forms, RULES] as const;

export const exportDashboards: Command = {
  summary: 'write the dashboards as files for Grafana\u2019s provisioning, or the rules for Prometheus',
  optionLines: [
    '--dir DIR                    the folder; it is made where it is missing',
    `--form FORM                  ${allForms.join(', ')}; default grafana`,
    `--settings FILE              of the rules: links and limits, see deploy/prometheus/README.md`,
  ],
  takes: ['dir', 'form', 'settings'],
  readsConfig: false,
  async run(options, { dashboardsFolder, print, printError }) {
    const { dir, form, settings } = readOptions(options);
    try {
      const files = form === RULES ? await rules(settings) : await dashboards(dashboardsFolder, form);
      const written = await writeOwnFiles(dir, files);
      const what = form === RULES ? 'files of rules' : 'dashboards';
      print(`${dir}: ${files.length} ${what}, ${written} of them written, the others were there.`);
      return EXIT_OK;
    } catch (error) {
      printError(error instanceof Error ? error.message : String(error));
      return EXIT_FAILURE;
    }
  },
};

interface ExportOptions {
  readonly dir: string;
  readonly form: Form | typeof RULES;
  readonly settings: string | undefined;
}

function readOptions({ given: { dir, form = 'grafana', settings } }: CommandOptions): ExportOptions {
  if (dir === undefined || dir === '') throw new UsageError('--dir DIR is missing');
  const known = allForms.find((one) => one === form);
  if (known === undefined) throw new UsageError(`--form is ${form}, but must be one of ${allForms.join(', ')}`);
  if (settings !== undefined && known !== RULES) throw new UsageError(`--settings needs --form ${RULES}`);
  return { dir, form: known, settings };
}

async function dashboards(folder: string, form: Form): Promise<readonly OwnFile[]> {
  const shipped = await shippedDashboards(folder, form);
  return shipped.map(({ fileName, uid, text }) => ({ fileName, text, isOwn: (before) => isOwnDashboard(before, uid) }));
}

/** A resource has its tags in `spec`; plain data has none, but the same uid. */
function isOwnDashboard(text: string, uid: string): boolean {
  try {
    const content = JSON.parse(text) as { spec?: unknown; uid?: unknown; rows?: unknown } | null;
    return isOwn(content) || isOwn(content?.spec) || (content?.uid === uid && Array.isArray(content.rows));
  } catch {
    return false;
  }
}

/** Made anew, because they depend on the settings. */
async function rules(settingsFile: string | undefined): Promise<readonly OwnFile[]> {
  const [{ ruleFiles, isOwnRuleFile }, { defaultSettings, readSettings }] = await Promise.all([
    import('../../dashboards/rules/rule-files.ts'),
    import('../../dashboards/rules/settings.ts'),
  ]);
  const settings = settingsFile === undefined ? defaultSettings : named(settingsFile, readSettings);
  return [...ruleFiles(settings)].map(([fileName, text]) => ({ fileName, text, isOwn: isOwnRuleFile }));
}

function named<Result>(file: string, read: (text: string) => Result): Result {
  try {
    return read(readBounded(file));
  } catch (error) {
    const lines = (error as Error).message.split('\n').map((line) => `${file}: ${line}`);
    throw new Error(`${lines.join('\n')}\nnothing was written`, { cause: error });
  }
}
