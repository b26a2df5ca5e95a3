/** What Prometheus keeps on disk, made of what it would have scraped. */
import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

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
    await createBlocks(['openmetrics', file, folder]);
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
  await createBlocks(['rules', `--url=${url}`, `--output-dir=${folder}`, ...time, rules]);
}

async function createBlocks(parameters: readonly string[]): Promise<void> {
  const options = ['tsdb', 'create-blocks-from', '--quiet', `--max-block-duration=${BLOCK_S / 3600}h`];
  await run('promtool', [...options, ...parameters]);
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
