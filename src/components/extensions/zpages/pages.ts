import type { HostStatus, RunningService } from '../../../engine/component.ts';

/** The content of the pages. */
interface About {
  readonly version: string;
  readonly startedAt: Date;
  readonly status: HostStatus;
  /** The reasons of components that work only in part. */
  readonly degraded: readonly string[];
  readonly service: RunningService;
}

type Row = readonly string[];

const PAGES: Readonly<Record<string, (about: About) => string>> = {
  '/debug/servicez': serviceRows,
  '/debug/pipelinez': ({ service: { pipelines } }) =>
    table(
      ['Pipeline', 'Receivers', 'Processors', 'Exporters'],
      pipelines.map(({ id, receivers, processors, exporters }) => [
        id,
        receivers.join(', '),
        processors.join(' → '),
        exporters.join(', '),
      ]),
    ),
  '/debug/extensionz': ({ service: { extensions } }) =>
    table(
      ['Extension'],
      extensions.map((id) => [id]),
    ),
  '/debug/featurez': () => '<p>siphon has no feature gates.</p>',
  '/debug/tracez': () => '<p>siphon does not trace itself. Its metrics are on the page of service::telemetry.</p>',
};

/** The HTML of a page, under the stock Collector's paths; undefined if it does not exist. */
export function pageAt(path: string, about: About): string | undefined {
  const content = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  if (content === undefined) return undefined;
  const links = Object.keys(PAGES).map((page) => `<a href="${page}">${page.slice('/debug/'.length)}</a>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>siphon ${path.slice('/debug/'.length)}</title>
<style>body { font-family: sans-serif } td, th { text-align: left; padding: 2px 12px 2px 0 }</style>
<p>${links.join(' ')}</p>
${content(about)}
</html>
`;
}

function serviceRows({ version, startedAt, status, degraded }: About): string {
  return table(
    ['Property', 'Value'],
    [
      ['Version', version],
      ['Node.js', process.version],
      ['Started', startedAt.toISOString()],
      ['Status', status],
      ...degraded.map((reason) => ['Degraded', reason]),
    ],
  );
}

function table(heads: Row, rows: readonly Row[]): string {
  const line = (cells: Row, tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>\n${[line(heads, 'th'), ...rows.map((row) => line(row, 'td'))].join('\n')}\n</table>`;
}

/** Ids come from the configuration and may have any character. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
