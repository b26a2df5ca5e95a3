import type { PageBuffer } from './page-buffer.ts';
import type { PageContent, PageFormat } from './page-content.ts';
import { ProtobufPage } from './protobuf-page.ts';
import { TextPage } from './text-page.ts';
import { TimeSlice } from '../../../../engine/time-slice.ts';

/** Series between two checks of the clock. */
const SERIES_A_LOOK = 64;

/** Works in slices. While it runs, values may change and series may be added, but rows must not be freed: see `SeriesMemory.whileReading`. */
export async function renderPage(content: PageContent, format: PageFormat, target: PageBuffer): Promise<void> {
  const Writer = format.syntax === 'protobuf' ? ProtobufPage : TextPage;
  const page = new Writer(content, format, target);
  const slice = new TimeSlice();
  let untilLook = SERIES_A_LOOK;
  for (const family of content.families) {
    page.open(family);
    for (let row = family.firstRow; row >= 0; row = content.series.next[row] as number) {
      page.series(row);
      if (--untilLook > 0) continue;
      untilLook = SERIES_A_LOOK;
      if (slice.isOver) await slice.pause();
    }
    page.close();
  }
  page.end();
}
