import type { Dashboard, Panel } from './panel.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedPanel {
  /** Unique in the dashboard, and the same in every rendering. */
  readonly id: number;
  readonly panel: Panel;
  /** Within its row. */
  readonly place: Place;
}

export interface PlacedRow {
  readonly id: number;
  readonly title: string;
  readonly repeatFor: string | undefined;
  readonly panels: readonly PlacedPanel[];
  readonly height: number;
}

const COLUMNS = 24;

/** Points of a line, and bars, for each column of a graph: on a wide screen, a bar is some pixels wide. */
export const POINTS_A_COLUMN = 12;

/** Where everything is: panels from left to right, a new line where one does not fit. */
export function layOut({ rows }: Dashboard): readonly PlacedRow[] {
  let id = 0;
  return rows.map(({ title, repeatFor, panels }) => {
    const rowId = (id += 1);
    const places = placesOf(panels);
    const height = Math.max(...places.map((place) => place.y + place.height));
    return {
      id: rowId,
      title,
      repeatFor,
      height,
      panels: panels.map((panel, index) => ({ id: (id += 1), panel, place: places[index] as Place })),
    };
  });
}

function placesOf(panels: readonly Panel[]): readonly Place[] {
  let [x, y, lineHeight] = [0, 0, 0];
  return panels.map(({ width, height }) => {
    if (x + width > COLUMNS) [x, y, lineHeight] = [0, y + lineHeight, 0];
    const place = { x, y, width, height };
    x += width;
    lineHeight = Math.max(lineHeight, height);
    return place;
  });
}
