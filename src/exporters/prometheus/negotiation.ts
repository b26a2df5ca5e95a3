/** Whether a scraper prefers OpenMetrics 1.0 to the text format, https://www.rfc-editor.org/rfc/rfc9110#name-accept */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  const openMetrics = quality(accept, /^application\/openmetrics-text$/, ['0.0.1', '1.0.0']);
  return openMetrics > 0 && openMetrics >= quality(accept, /^text\/plain$/, ['0.0.4', '1.0.0']);
}

/** `gzip` or `*` with a quality above 0. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const named = choices(acceptEncoding).find(({ name }) => name === 'gzip');
  const chosen = named ?? choices(acceptEncoding).find(({ name }) => name === '*');
  return chosen !== undefined && chosen.quality > 0;
}

interface Choice {
  readonly name: string;
  readonly quality: number;
  readonly version: string | undefined;
}

/** The highest with which the header names the type in one of these versions, or without version. */
function quality(header: string | undefined, type: RegExp, versions: readonly string[]): number {
  const fitting = choices(header).filter(
    ({ name, version }) => type.test(name) && (version === undefined || versions.includes(version)),
  );
  return Math.max(0, ...fitting.map((choice) => choice.quality));
}

function choices(header = ''): Choice[] {
  return header.split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const values = new Map(parameters.map((text) => text.split(/\s*=\s*/, 2) as [string, string]));
    const sent = Number(values.get('q') ?? 1);
    return { name, version: values.get('version'), quality: Number.isNaN(sent) ? 0 : sent };
  });
}
