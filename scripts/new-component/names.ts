export const KINDS = ['receiver', 'processor', 'connector', 'exporter', 'extension'] as const;
export type Kind = (typeof KINDS)[number];

export interface ComponentNames {
  readonly kind: Kind;
  /** The id in a configuration: `span_filter`. */
  readonly type: string;
  /** `src/components/processors/span-filter`. */
  readonly folder: string;
  /** `spanFilter`, for the configuration schema. */
  readonly camel: string;
  /** `SpanFilter`, for the configuration type. */
  readonly pascal: string;
  /** `spanFilterProcessor`. */
  readonly factory: string;
  /** `SpanFilterProcessor`. */
  readonly className: string;
}

export function isKind(text: string): text is Kind {
  return KINDS.some((kind) => kind === text);
}

export function componentNames(kind: Kind, name: string): ComponentNames {
  const words = name.split(/[_-]/);
  const pascal = words.map(capitalize).join('');
  const camel = pascal[0]?.toLowerCase() + pascal.slice(1);
  return {
    kind,
    type: words.join('_'),
    folder: `src/components/${kind}s/${words.join('-')}`,
    camel,
    pascal,
    factory: camel + capitalize(kind),
    className: pascal + capitalize(kind),
  };
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
