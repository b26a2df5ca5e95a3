/** Writes the blocks of a Prometheus database from series of samples. */
import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface WrittenSeries {
  /** The series in text format. */
  readonly text: string;
  /** Undefined while the series is absent. */
  readonly at: (atS: number) => number | undefined;
}

/** The longest block below a week that is two hours times a power of three. promtool reads one file per block into memory. */
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

/** Writes blocks of the recording rules, evaluated by the Prometheus at `url` on its existing data. */
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
