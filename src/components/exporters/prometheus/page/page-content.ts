import type { Exemplars } from '../series/exemplars.ts';
import type { Family } from '../series/family.ts';
import type { EscapingScheme } from '../names/name-escaping.ts';
import type { NativeHistograms } from '../series/native-histograms.ts';
import type { Syntax } from '../server/negotiation.ts';
import type { SeriesTable } from '../series/series-table.ts';

export interface PageFormat {
  readonly syntax: Syntax;
  readonly timestamps: boolean;
  /** Of names; series whose names need none are written fastest as `allow-utf-8`. */
  readonly escaping: EscapingScheme;
}

export interface PageContent {
  readonly families: readonly Family[];
  readonly series: SeriesTable;
  readonly exemplars: Exemplars | undefined;
  readonly nativeHistograms: NativeHistograms;
  /** Series that were not seen since are not shown. */
  readonly seenSinceMs: number;
}

/** Writes a page in one syntax: family by family, each with its series. */
export interface PageWriter {
  open(family: Family): void;
  /** Writes nothing for a row that is not shown. */
  series(row: number): void;
  close(): void;
  end(): void;
}
