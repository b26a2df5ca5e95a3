/** A regular expression as a tree. */
export type PatternNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly fits: (code: number) => boolean }
  | { readonly kind: 'assertion'; readonly holds: Assertion }
  | { readonly kind: 'sequence'; readonly of: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly of: readonly PatternNode[] }
  | { readonly kind: 'group'; readonly number: number; readonly of: PatternNode }
  | {
      readonly kind: 'repeat';
      readonly of: PatternNode;
      readonly least: number;
      /** Infinity for no limit. */
      readonly most: number;
      readonly isLazy: boolean;
    };

/** True between some characters; -1 for the begin and the end of the text. */
export type Assertion = (before: number, after: number) => boolean;

export interface ParsedPattern {
  readonly root: PatternNode;
  /** The groups, without the whole. */
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}
