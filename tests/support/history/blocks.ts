/** What Prometheus keeps on disk, made of what it would have scraped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

export interface WrittenSeries {
  /** As the text format names it. */
  readonly text: string;
  /** Undefined where it was not there. */
  readonly at: (atS: number) => number | undefined;
}

/** The longest that is a power of three of two hours and shorter than a week; a file for each is read by promtool at once. */
const BLOCK_S = 162 * 3600;

/** Writes blocks of these moments, which are in order, into a folder. */
export async function writeBlocks(
  folder: string,
  series: readonly WrittenSeries[],
  momentsS: readonly number[],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const perBlock = Map.groupBy(momentsS, (atS) => Math.floor(atS / BLOCK_S));
  const loading = [...perBlock].map(async ([block, moments]) => {
    const file = path.join(folder, `${block}.om`);
    writeExposition(file, series, moments);
    await promtool(['openmetrics', file, folder]);
    rmSync(file);
  });
  await Promise.all(loading);
}

/** Of the recording rules, as the Prometheus at `url` computes them of what it has. */
export async function writeRecordedBlocks(
  folder: string,
  {
    url,
    rules,
    fromS,
    toS,
    everyS,
  }: {
    readonly url: string;
    readonly rules: string;
    readonly fromS: number;
    readonly toS: number;
    readonly everyS: number;
  },
): Promise<void> {
  const time = [`--start=${fromS}`, `--end=${toS}`, `--eval-interval=${everyS}s`];
  await promtool(['rules', `--url=${url}`, `--output-dir=${folder}`, ...time, rules]);
}

async function promtool([what = '', ...parameters]: readonly string[]): Promise<void> {
  const options = ['tsdb', 'create-blocks-from', '--quiet', `--max-block-duration=${BLOCK_S / 3600}h`];
  const child = spawn('promtool', [...options, what, ...parameters], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`promtool could not make blocks from ${what}: ${complaints}`);
}

const CHUNK = 1 << 20;

function writeExposition(file: string, series: readonly WrittenSeries[], momentsS: readonly number[]): void {
  const handle = openSync(file, 'w');
  let text = '';
  for (const { text: name, at } of series) {
    for (const atS of momentsS) {
      const value = at(atS);
      if (value !== undefined) text += `${name} ${value} ${atS}\n`;
    }
    if (text.length < CHUNK) continue;
    writeSync(handle, text);
    text = '';
  }
  writeSync(handle, `${text}# EOF\n`);
  closeSync(handle);
}
