import type { EscapingScheme } from '../names/escaping-scheme.ts';
import type { Syntax } from '../page/page-content.ts';

export interface Negotiated {
  readonly syntax: Syntax;
  readonly escaping: EscapingScheme;
}

const SCHEMES: ReadonlySet<string> = new Set(['allow-utf-8', 'underscores', 'dots', 'values']);
const OPEN_METRICS_VERSIONS = new Set([undefined, '0.0.1', '1.0.0']);
const TEXT_VERSIONS = new Set([undefined, '0.0.4', '1.0.0']);

/** The format that the scraper prefers, by default the text format. https://www.rfc-editor.org/rfc/rfc9110#name-accept */
export function negotiate(accept: string | undefined, offersOpenMetrics: boolean): Negotiated {
  const fitting = choices(accept).filter((choice) => {
    const syntax = syntaxOf(choice);
    return choice.quality > 0 && syntax !== undefined && (syntax !== 'openmetrics' || offersOpenMetrics);
  });
  const chosen = fitting.toSorted((a, b) => b.quality - a.quality)[0];
  const escaping = chosen?.escaping ?? '';
  return {
    syntax: (chosen && syntaxOf(chosen)) ?? 'text',
    escaping: SCHEMES.has(escaping) ? (escaping as EscapingScheme) : 'underscores',
  };
}

function syntaxOf({ name, version, proto, encoding }: Choice): Syntax | undefined {
  if (name === 'text/plain') return TEXT_VERSIONS.has(version) ? 'text' : undefined;
  if (name === 'application/openmetrics-text') return OPEN_METRICS_VERSIONS.has(version) ? 'openmetrics' : undefined;
  const isFamily = proto === 'io.prometheus.client.metricfamily' && encoding === 'delimited';
  return name === 'application/vnd.google.protobuf' && isFamily ? 'protobuf' : undefined;
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
  readonly proto: string | undefined;
  readonly encoding: string | undefined;
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
      proto: values.get('proto'),
      encoding: values.get('encoding'),
    };
  });
}
