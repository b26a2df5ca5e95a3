/** `node tests/bench/chart.ts RESULT.json > CHART.svg`: draws cost by number of series. The output is deterministic. */
import { readFileSync } from 'node:fs';
import type { BenchCase, Measure, Result } from './cases.ts';

interface Growth {
  readonly results: Readonly<Record<string, Pick<BenchCase, 'shape'> & { readonly siphon: Result }>>;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly { readonly measure: Measure; readonly labelled: boolean }[];
}

type Point = readonly [x: number, y: number];

const PANELS: readonly Panel[] = [
  { title: 'CPU, µs a point', lines: [{ measure: 'cpu', labelled: true }] },
  {
    title: 'scrape, ms (gzip: orange)',
    lines: [
      { measure: 'gzip', labelled: true },
      { measure: 'identity', labelled: false },
    ],
  },
  { title: 'peak memory, MiB', lines: [{ measure: 'peak', labelled: true }] },
];

/** The cases with this number of attributes differ only in their number of series. */
const ATTRIBUTES = 4;

const [PLOT_WIDTH, PLOT_HEIGHT] = [220, 200];
const [LEFT, TOP, RIGHT, BOTTOM] = [52, 40, 16, 52];
const PANEL_WIDTH = LEFT + PLOT_WIDTH + RIGHT;
const HEIGHT = TOP + PLOT_HEIGHT + BOTTOM;

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.page { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke: #0969da; stroke-width: 2 }
.dot { fill: #0969da }
.gzip.line { stroke: #bc4c00 } .gzip.dot { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .page { fill: #0d1117 }
  .grid { stroke: #30363d }
  .line { stroke: #58a6ff } .dot { fill: #58a6ff }
  .gzip.line { stroke: #f0883e } .gzip.dot { fill: #f0883e }
}
`;

const growth = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Growth;
process.stdout.write(chart(growth));

function chart({ results }: Growth): string {
  const cases = Object.values(results).filter(({ shape }) => shape.attributes === ATTRIBUTES);
  const panels = PANELS.map((panel, i) => {
    const lines = panel.lines.map((line) => ({
      ...line,
      points: cases.map(({ shape, siphon }): Point => [shape.series, siphon[line.measure] ?? NaN]),
    }));
    return `<g transform="translate(${i * PANEL_WIDTH + LEFT} ${TOP})">\n${panelOf(panel.title, lines)}\n</g>`;
  });
  const width = PANEL_WIDTH * PANELS.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img">
<title>CPU, scrape time and memory of siphon by the number of series</title>
<style>${STYLE}</style>
<rect class="page" width="${width}" height="${HEIGHT}" rx="6"/>
${panels.join('\n')}
</svg>
`;
}

type Line = Panel['lines'][number] & { readonly points: readonly Point[] };

function panelOf(title: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const x = logScale(decades(points.map(([series]) => series)), PLOT_WIDTH);
  const y = logScale(decades(points.map(([, value]) => value)), PLOT_HEIGHT);
  const up = (value: number): number => PLOT_HEIGHT - y.place(value);
  return [
    `<text class="title" x="0" y="-16">${title}</text>`,
    ...x.ticks.map((tick) => {
      const at = coordinate(x.place(tick));
      return `<path class="grid" d="M${at} 0V${PLOT_HEIGHT}"/><text x="${at}" y="${PLOT_HEIGHT + 18}" text-anchor="middle">${short(tick)}</text>`;
    }),
    ...y.ticks.map((tick) => {
      const at = coordinate(up(tick));
      return `<path class="grid" d="M0 ${at}H${PLOT_WIDTH}"/><text x="-8" y="${coordinate(up(tick) + 4)}" text-anchor="end">${short(tick)}</text>`;
    }),
    `<text x="${PLOT_WIDTH / 2}" y="${PLOT_HEIGHT + 38}" text-anchor="middle">series</text>`,
    ...lines.map((line) =>
      lineOf(
        line,
        line.points.map(([series, value]) => [x.place(series), up(value), value]),
      ),
    ),
  ].join('\n');
}

function lineOf({ measure, labelled }: Line, places: readonly (readonly [number, number, number])[]): string {
  const path = places.map(([x, y]) => `${coordinate(x)} ${coordinate(y)}`).join('L');
  const dots = places.map(
    ([x, y]) => `<circle class="${measure} dot" cx="${coordinate(x)}" cy="${coordinate(y)}" r="3.5"/>`,
  );
  // The label of the first value would overlap the line.
  const values = places
    .slice(labelled ? 1 : places.length)
    .map(
      ([x, y, value]) =>
        `<text x="${coordinate(x)}" y="${coordinate(y - 10)}" text-anchor="end">${measured(value)}</text>`,
    );
  return [`<path class="${measure} line" d="M${path}"/>`, ...dots, ...values].join('\n');
}

/** Exponents from the power of ten below all values to the one above them. */
function decades(values: readonly number[]): readonly number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function logScale(exponents: readonly number[], length: number): { ticks: number[]; place: (value: number) => number } {
  const [first = 0] = exponents;
  const span = exponents.length - 1;
  return {
    ticks: exponents.map((exponent) => Number(`1e${exponent}`)),
    place: (value) => ((Math.log10(value) - first) / span) * length,
  };
}

function coordinate(pixels: number): string {
  return String(Number(pixels.toFixed(1)));
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1000 ? `${value / 1000} k` : String(value);
}

function measured(value: number): string {
  return value < 10 ? value.toFixed(2) : String(Math.round(value));
}
