import type { Exemplars } from '../series/exemplars.ts';
import type { Family } from '../series/family.ts';
import type { EscapingScheme } from '../names/escaping-scheme.ts';
import type { NativeHistograms } from '../series/native-histograms.ts';
import type { SeriesTable } from '../series/series-table.ts';

export type Syntax = 'text' | 'openmetrics' | 'protobuf';

export interface PageFormat {
  readonly syntax: Syntax;
  readonly timestamps: boolean;
  /** `allow-utf-8` is the fastest; use it if no name needs escaping. */
  readonly escaping: EscapingScheme;
}

export interface PageContent {
  readonly families: readonly Family[];
  readonly series: SeriesTable;
  readonly exemplars: Exemplars | undefined;
  readonly nativeHistograms: NativeHistograms;
  /** Series without a point since then are not shown. */
  readonly seenSinceMs: number;
}

/** Writes a page in one syntax: one family after the other, each with its series. */
export interface PageWriter {
  open(family: Family): void;
  /** Writes nothing for a row that is not shown. */
  series(row: number): void;
  close(): void;
  end(): void;
}
