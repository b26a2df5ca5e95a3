import type { EscapingScheme } from './name-escaping.ts';

export interface Negotiated {
  readonly openMetrics: boolean;
  readonly escaping: EscapingScheme;
}

const SCHEMES: ReadonlySet<string> = new Set(['allow-utf-8', 'underscores', 'dots', 'values']);
const OPEN_METRICS_VERSIONS = new Set([undefined, '0.0.1', '1.0.0']);
const TEXT_VERSIONS = new Set([undefined, '0.0.4', '1.0.0']);

/** What a scraper prefers of what there is, https://www.rfc-editor.org/rfc/rfc9110#name-accept; the plain text format for others. */
export function negotiate(accept: string | undefined, offersOpenMetrics: boolean): Negotiated {
  const fitting = choices(accept).filter(({ name, version, quality }) => {
    if (quality <= 0) return false;
    if (name === 'application/openmetrics-text') return offersOpenMetrics && OPEN_METRICS_VERSIONS.has(version);
    return name === 'text/plain' && TEXT_VERSIONS.has(version);
  });
  const chosen = fitting.toSorted((a, b) => b.quality - a.quality)[0];
  const escaping = chosen?.escaping ?? '';
  return {
    openMetrics: chosen?.name === 'application/openmetrics-text',
    escaping: SCHEMES.has(escaping) ? (escaping as EscapingScheme) : 'underscores',
  };
}

/** `gzip` or `*` with a quality above 0. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const encodings = choices(acceptEncoding);
  const chosen = encodings.find(({ name }) => name === 'gzip') ?? encodings.find(({ name }) => name === '*');
  return chosen !== undefined && chosen.quality > 0;
}

interface Choice {
  readonly name: string;
  readonly quality: number;
  readonly version: string | undefined;
  readonly escaping: string | undefined;
}

function choices(header = ''): Choice[] {
  return header.split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const values = new Map(parameters.map((text) => text.split(/\s*=\s*/, 2) as [string, string]));
    const quality = Number(values.get('q') ?? 1);
    return {
      name,
      quality: Number.isNaN(quality) ? 0 : quality,
      version: values.get('version'),
      escaping: values.get('escaping'),
    };
  });
}
