/** Values over time, drawn by uPlot, with a legend that shows numbers. */
import uPlot from 'uplot';
import type { GraphModel } from '../../dashboards/model/dashboard-model.ts';
import { countedThings, isWhole, sharedUnit } from '../../dashboards/model/unit.ts';
import { momentsOf, type Exemplar, type Span, type Steps } from '../data-source.ts';
import { lonelyOf, stackedUp, type NamedSeries } from '../graph-data.ts';
import { textOf } from '../unit-text.ts';
import { colorsOf, cssColor } from './colors.ts';
import { element } from './element.ts';
import { exemplarDots } from './exemplar-dots.ts';
import { legendOf } from './legend.ts';
import { momentText, timeMarks } from './time-text.ts';
import type { TraceLink } from '../trace.ts';

export interface Drawing {
  readonly steps: Steps;
  readonly series: readonly NamedSeries[];
  readonly exemplars: readonly Exemplar[];
}

export interface GraphContext {
  readonly zoom: (time: Span) => void;
  readonly traceLink: (traceId: string) => TraceLink | undefined;
  /** The colours that names have had on this panel; further names are added. */
  readonly known: Map<string, string>;
}

export interface Graph {
  readonly element: HTMLElement;
  /** Draws it; the element must be on the page. */
  draw(): void;
  /** Shows newer values in place, so that what a reader looks at stays; false if the series are others. */
  update(drawing: Drawing): boolean;
  end(): void;
}

export function graphOf(panel: GraphModel, first: Drawing, { zoom, traceLink, known }: GraphContext): Graph {
  const { series } = first;
  const unit = panel.queries[0]?.unit ?? '';
  const colors = colorsOf(
    series.map(({ name }) => name),
    { tones: panel.tones, known },
  );
  const time = element('output', { class: 'at' });
  const place = element('div', {
    class: 'plot',
    attributes: { tabindex: '0', role: 'img', 'aria-label': `${panel.title}: arrow keys read it` },
  });
  const legend = legendOf(series, { colors, unit, title: panel.title, areCounts: panel.draw === 'bars' });
  let drawing = first;
  let dots = exemplarDots(first.exemplars, { panel, traceLink });
  let plot: uPlot | undefined;
  const hover = (index: number | null): void => {
    const at = index === null ? undefined : momentsOf(drawing.steps)[index];
    time.textContent = at === undefined ? '' : momentText(at);
    legend.hover(index);
  };
  const watcher = new ResizeObserver(() => plot?.setSize(sizeOf(place)));
  place.addEventListener('keydown', (event) => plot !== undefined && moveCursor(plot, event));
  place.addEventListener('blur', () => plot?.setCursor({ left: -10, top: -10 }));
  const things = countedThings(
    sharedUnit(
      panel.title,
      panel.queries.map((query) => query.unit),
    ),
  );
  const axis = things === undefined ? undefined : element('span', { class: 'things', text: things });
  const canvas = element('div', { class: 'canvas' }, place, dots.element, axis, time);
  return {
    element: element('div', { class: 'body' }, canvas, legend.element),
    draw: () => {
      const options = optionsOf(panel, { series, colors, unit, place, hover, zoom, drawn: (it) => dots.place(it) });
      plot = new uPlot(options, dataOf(panel, drawing), place);
      legend.onToggle = (index, isShown) => plot?.setSeries(index + 1, { show: isShown });
      watcher.observe(place);
    },
    update: (next) => {
      if (next.series.map(({ name }) => name).join('\0') !== series.map(({ name }) => name).join('\0')) return false;
      drawing = next;
      // Do not move the focus away from a trace.
      if (!dots.element.contains(document.activeElement) && dots.element.querySelector(':popover-open') === null) {
        const newer = exemplarDots(next.exemplars, { panel, traceLink });
        dots.element.replaceWith(newer.element);
        dots = newer;
      }
      legend.update(next.series);
      plot?.setData(dataOf(panel, next));
      return true;
    },
    end: () => {
      watcher.disconnect();
      plot?.destroy();
    },
  };
}

function dataOf({ stacked }: GraphModel, { series, steps }: Drawing): uPlot.AlignedData {
  const values = series.map((one) => one.values);
  const drawn = stacked ? stackedUp(values) : values;
  return [[...momentsOf(steps)], ...drawn.map((one) => [...one])];
}

interface Drawn {
  readonly series: readonly NamedSeries[];
  readonly colors: readonly string[];
  readonly unit: string;
  readonly place: HTMLElement;
  readonly hover: (index: number | null) => void;
  readonly zoom: (time: Span) => void;
  readonly drawn: (plot: uPlot) => void;
}

function optionsOf(panel: GraphModel, { series, colors, unit, place, hover, zoom, drawn }: Drawn): uPlot.Options {
  const { stacked, draw } = panel;
  const asBars = draw === 'bars';
  const grid = { stroke: cssColor('--line'), width: 1 };
  const quiet = cssColor('--quiet');
  const bars = asBars ? uPlot.paths.bars?.({ size: [0.92, 160], align: -1 }) : undefined;
  return {
    ...sizeOf(place),
    legend: { show: false },
    // Room for what the axis counts, and for half of the last time.
    padding: [countedThings(unit) === undefined ? 8 : 18, 22, 0, 0],
    cursor: {
      // The other graphs show the same moment, but only the one that is dragged on chooses a time.
      sync: { key: 'time', filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { show: !asBars },
    },
    scales: { y: { range: (_, low, high) => rangeOf(panel, low, high) } },
    axes: [
      {
        stroke: quiet,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        size: 26,
        gap: 3,
        font: FONT,
        values: (_, marks) => timeMarks(marks),
      },
      {
        stroke: quiet,
        grid,
        ticks: { show: false },
        font: FONT,
        gap: 2,
        ...incrementsOf(unit),
        size: (_, labels) => Math.max(28, ...(labels ?? []).map((label) => label.length * 6.2 + 8)),
        values: (_, marks) => marks.map((mark) => textOf(mark, unit)),
      },
    ],
    series: [
      {},
      ...series.map((_, index): uPlot.Series => ({
        stroke: colors[index] ?? quiet,
        width: asBars ? 0 : 1.5,
        ...(asBars || stacked ? { fill: (colors[index] ?? quiet) + (asBars ? 'd9' : '40') } : {}),
        ...(bars === undefined ? {} : { paths: bars }),
        points: asBars
          ? { show: false }
          : {
              size: 5,
              fill: colors[index] ?? quiet,
              // Where there is no line, because a run is rare.
              filter: (plot, at, areAll) => (areAll ? null : [...lonelyOf(plot.data[at] ?? [])]),
            },
      })),
    ],
    hooks: {
      setCursor: [(plot) => hover(plot.cursor.idx ?? null)],
      setSelect: [(plot) => zoom(selectedOf(plot))],
      draw: [(plot) => drawThresholds(plot, { panel, unit }), drawn],
    },
  };
}

function selectedOf(plot: uPlot): Span {
  const { left, width } = plot.select;
  return { fromS: plot.posToVal(left, 'x'), toS: plot.posToVal(left + width, 'x') };
}

/** From value to value, as the pointer does. */
function moveCursor(plot: uPlot, event: KeyboardEvent): void {
  const last = plot.data[0].length - 1;
  const at = plot.cursor.idx ?? (event.key === 'ArrowRight' ? -1 : last + 1);
  const moves: Readonly<Record<string, number>> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
  const to = moves[event.key];
  if (event.key === 'Escape') plot.setCursor({ left: -10, top: -10 });
  if (to === undefined) return;
  event.preventDefault();
  const moment = plot.data[0][Math.min(last, Math.max(0, to))] ?? 0;
  plot.setCursor({ left: plot.valToPos(moment, 'x'), top: 0 });
}

/** Marks stand at numbers that are round in the unit. */
function incrementsOf(unit: string): Pick<uPlot.Axis, 'incrs'> {
  if (unit.startsWith('By')) return { incrs: Array.from({ length: 50 }, (_, power) => 2 ** power) };
  if (unit === 's') return { incrs: SECONDS };
  if (isWhole(unit)) return { incrs: COUNTS };
  return {};
}

const SECONDS = [
  ...roundNumbers(-6, 0),
  10,
  15,
  ...[0.5, 1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60),
  ...[1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 14, 24 * 30, 24 * 90].map((hours) => hours * 3600),
];

const COUNTS = roundNumbers(0, 12);

function roundNumbers(lowest: number, highest: number): number[] {
  const powers = Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
  return powers.flatMap((power) => [power, 2 * power, 5 * power]);
}

const FONT = '10px system-ui, sans-serif';

function sizeOf(place: HTMLElement): { width: number; height: number } {
  return { width: Math.max(60, place.clientWidth), height: Math.max(60, place.clientHeight) };
}

/** From zero unless a value is below; a line of zeros has room above it. */
function rangeOf({ min = 0, max }: GraphModel, low: number | null, high: number | null): [number, number] {
  const top = max ?? Math.max(min, high ?? min);
  const bottom = Math.min(min, low ?? min);
  return [bottom, top > bottom ? top + (max === undefined ? (top - bottom) * 0.06 : 0) : bottom + 1];
}

/** Dashed, and only where the values come near: a graph is not stretched for a limit that is far away. */
function drawThresholds(
  plot: uPlot,
  { panel: { thresholds }, unit }: { readonly panel: GraphModel; readonly unit: string },
): void {
  if (thresholds === undefined) return;
  const { ctx, bbox, scales } = plot;
  const limits = [
    ['warning', thresholds.warning, '--warning'],
    ['critical', thresholds.critical, '--bad'],
  ] as const;
  for (const [name, limit, color] of limits) {
    if (limit === undefined || limit < (scales['y']?.min ?? 0) || limit > (scales['y']?.max ?? 0)) continue;
    const y = Math.round(plot.valToPos(limit, 'y', true));
    ctx.save();
    ctx.strokeStyle = cssColor(color);
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    nameThreshold(plot, { text: `${name} ${textOf(limit, unit)}`, y, x: name === 'critical' ? 80 : 3 });
    ctx.restore();
  }
}

function nameThreshold(
  { ctx, bbox }: uPlot,
  { text, x, y }: { readonly text: string; readonly x: number; readonly y: number },
): void {
  ctx.font = `${9 * devicePixelRatio}px system-ui, sans-serif`;
  const isAtTop = y - bbox.top < 12 * devicePixelRatio;
  ctx.textAlign = 'left';
  ctx.textBaseline = isAtTop ? 'top' : 'bottom';
  ctx.fillText(text, bbox.left + x * devicePixelRatio, y + (isAtTop ? 2 : -1));
}
