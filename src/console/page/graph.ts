/** Values over time, by uPlot, with a legend that tells numbers. */
import uPlot from 'uplot';
import type { PlainPanel } from '../../dashboards/model/plain.ts';
import { momentsOf, type Steps } from '../data-source.ts';
import { stackedUp, type NamedSeries } from '../graph-data.ts';
import { textOf } from '../unit-text.ts';
import { colorsOf, cssColor } from './colors.ts';
import { element } from './element.ts';
import { legendOf } from './legend.ts';

export interface Graph {
  readonly element: HTMLElement;
  /** Draws it; the element must be on the page. */
  draw(): void;
  end(): void;
}

export function graphOf(panel: PlainPanel, series: readonly NamedSeries[], steps: Steps): Graph {
  const unit = panel.queries[0]?.unit ?? '';
  const colors = colorsOf(
    series.map(({ name }) => name),
    panel.tones,
  );
  const place = element('div', { class: 'plot' });
  const legend = legendOf(series, { colors, unit });
  let plot: uPlot | undefined;
  const watcher = new ResizeObserver(() => plot?.setSize(sizeOf(place)));
  return {
    element: element('div', { class: 'body' }, place, legend.element),
    draw: () => {
      plot = new uPlot(
        optionsOf(panel, { series, colors, unit, place, hover: legend.hover }),
        dataOf(panel, series, steps),
        place,
      );
      legend.onToggle = (index, isShown) => plot?.setSeries(index + 1, { show: isShown });
      watcher.observe(place);
    },
    end: () => {
      watcher.disconnect();
      plot?.destroy();
    },
  };
}

function dataOf({ stacked = false }: PlainPanel, series: readonly NamedSeries[], steps: Steps): uPlot.AlignedData {
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
}

function optionsOf(panel: PlainPanel, { series, colors, unit, place, hover }: Drawn): uPlot.Options {
  const { stacked = false, draw } = panel;
  const asBars = draw === 'bars';
  const grid = { stroke: cssColor('--line'), width: 1 };
  const quiet = cssColor('--quiet');
  const bars = asBars ? uPlot.paths.bars?.({ size: [0.9, 24], align: -1 }) : undefined;
  return {
    ...sizeOf(place),
    legend: { show: false },
    padding: [6, 14, 0, 0],
    cursor: { sync: { key: 'time' }, drag: { x: false, y: false }, points: { show: !asBars } },
    scales: { y: { range: (_, low, high) => rangeOf(panel, low, high) } },
    axes: [
      {
        stroke: quiet,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        size: 26,
        gap: 3,
        font: FONT,
        values: timeLabels,
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
        width: asBars ? 0 : 1.25,
        ...(asBars || stacked ? { fill: (colors[index] ?? quiet) + (asBars ? 'd9' : '40') } : {}),
        ...(bars === undefined ? {} : { paths: bars }),
        points: asBars ? { show: false } : { size: 4 },
      })),
    ],
    hooks: {
      setCursor: [(plot) => hover(plot.cursor.idx ?? null)],
      draw: [(plot) => drawThresholds(plot, panel)],
    },
  };
}

/** Marks stand at numbers that are round in the unit. */
function incrementsOf(unit: string): Pick<uPlot.Axis, 'incrs'> {
  if (unit.startsWith('By')) return { incrs: Array.from({ length: 50 }, (_, power) => 2 ** power) };
  return {};
}

const FONT = '10px system-ui, sans-serif';

function sizeOf(place: HTMLElement): { width: number; height: number } {
  return { width: Math.max(60, place.clientWidth), height: Math.max(60, place.clientHeight) };
}

/** From zero unless a value is below; a line of zeros has room above it. */
function rangeOf({ min = 0, max }: PlainPanel, low: number | null, high: number | null): [number, number] {
  const top = max ?? Math.max(min, high ?? min);
  const bottom = Math.min(min, low ?? min);
  return [bottom, top > bottom ? top + (max === undefined ? (top - bottom) * 0.06 : 0) : bottom + 1];
}

function timeLabels(plot: uPlot, marks: readonly number[]): string[] {
  const span = (plot.scales['x']?.max ?? 0) - (plot.scales['x']?.min ?? 0);
  const format: Intl.DateTimeFormatOptions =
    span > 2 * 86_400
      ? { day: 'numeric', month: 'short' }
      : { hour: '2-digit', minute: '2-digit', ...(span < 180 && { second: '2-digit' }) };
  const written = new Intl.DateTimeFormat('en-GB', format);
  return marks.map((mark) => written.format(mark * 1000));
}

/** Dashed, and only where the values come near: a graph is not stretched for a limit that is far away. */
function drawThresholds(plot: uPlot, { thresholds }: PlainPanel): void {
  if (thresholds === undefined) return;
  const { ctx, bbox, scales } = plot;
  const limits = [
    [thresholds.warning, '--warning'],
    [thresholds.critical, '--bad'],
  ] as const;
  for (const [limit, color] of limits) {
    if (limit === undefined || limit < (scales['y']?.min ?? 0) || limit > (scales['y']?.max ?? 0)) continue;
    const y = Math.round(plot.valToPos(limit, 'y', true));
    ctx.save();
    ctx.strokeStyle = cssColor(color);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}
