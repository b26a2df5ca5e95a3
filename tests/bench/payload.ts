import { writeKeyValue } from '../../src/engine/otlp/any-value.ts';
import { WireWriter } from '../../src/engine/otlp/wire-writer.ts';
import { BUCKETED, valueAfter, type LoadShape } from './load-shape.ts';

/** A request that is encoded once. Each pass only overwrites its times and values. */
export class Payload {
  readonly body: Buffer;
  readonly #firstSeries: number;
  readonly #times: readonly number[];
  readonly #values: readonly number[];
  readonly #overflows: readonly number[];

  constructor({ kind, pointsPerRequest, attributes = 2, variety }: Omit<LoadShape, 'series'>, firstSeries: number) {
    this.#firstSeries = firstSeries;
    const points = Array.from({ length: pointsPerRequest }, (_, i) => ({
      series: firstSeries + i,
      attributes,
      variety,
    }));
    const metric = kind === 'sum' ? sums(points, variety) : histograms(points, variety);
    this.body = Buffer.from(request(metric, variety));
    this.#times = placesOf(TIME, this.body);
    this.#values = placesOf(VALUE, this.body);
    this.#overflows = placesOf(OVERFLOW, this.body);
  }

  stamp(pass: number): void {
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    for (const at of this.#times) this.body.writeBigUInt64LE(nowNs, at);
    for (const [i, at] of this.#values.entries()) {
      this.body.writeBigUInt64LE(BigInt(valueAfter(pass, this.#firstSeries + i)), at);
    }
    for (const [i, at] of this.#overflows.entries()) {
      this.body.writeBigUInt64LE(BigInt(valueAfter(pass, this.#firstSeries + i) - BUCKETED), at);
    }
  }
}

/** The requests of one pass. */
export function payloads(shape: LoadShape): Payload[] {
  const firsts = Array.from({ length: shape.series / shape.pointsPerRequest }, (_, i) => i * shape.pointsPerRequest);
  return firsts.map((first) => new Payload(shape, first));
}

/** Placeholders for the bytes that each pass overwrites. They must not occur elsewhere in a request. */
const TIME = 0x71_4d_e0_5a_c3_96_1f_0bn;
const VALUE = 0x72_4d_e0_5a_c3_96_1f_0bn;
const OVERFLOW = 0x73_4d_e0_5a_c3_96_1f_0bn;

const START_NS = BigInt(Date.now()) * 1_000_000n;
const CUMULATIVE = 2;
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Point {
  readonly series: number;
  readonly attributes: number;
  readonly variety: number | undefined;
}

type Body = (writer: WireWriter) => void;

function request(metric: Body, variety = 1): Uint8Array {
  const writer = new WireWriter(65_536);
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      writeKeyValue(writer, 1, 'service.name', 'bench');
      writeKeyValue(writer, 1, 'service.instance.id', String(variety));
    });
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.stringField(1, 'bench'));
      writer.messageField(2, metric);
    });
  });
  return writer.finish();
}

function sums(points: readonly Point[], variety?: number): Body {
  return (writer) => {
    writer.stringField(1, `bench.requests${suffix(variety)}`);
    writer.stringField(3, '{request}');
    writer.messageField(7, () => {
      for (const point of points) {
        writer.messageField(1, () => {
          writer.fixed64Field(2, START_NS);
          writer.fixed64Field(3, TIME);
          writer.fixed64Field(6, VALUE);
          writeAttributes(writer, 7, point);
        });
      }
      writer.varintField(2, CUMULATIVE);
      writer.boolField(3, true);
    });
  };
}

function histograms(points: readonly Point[], variety?: number): Body {
  // Each number has a layout of its own.
  const bounds = BOUNDS.map((bound) => bound * (1 + (variety ?? 0) / 1e6));
  const counts = [...BOUNDS.map(() => BigInt(BUCKETED / BOUNDS.length)), OVERFLOW];
  return (writer) => {
    writer.stringField(1, `bench.latency${suffix(variety)}`);
    writer.stringField(3, 's');
    writer.messageField(9, () => {
      for (const point of points) {
        writer.messageField(1, () => {
          writer.fixed64Field(2, START_NS);
          writer.fixed64Field(3, TIME);
          writer.fixed64Field(4, VALUE);
          writer.doubleField(5, point.series * 1.5);
          writer.packedFixed64Field(6, counts);
          writer.packedDoubleField(7, bounds);
          writeAttributes(writer, 9, point);
        });
      }
      writer.varintField(2, CUMULATIVE);
    });
  };
}

function suffix(variety: number | undefined): string {
  return variety === undefined ? '' : `.v${variety}`;
}

function writeAttributes(writer: WireWriter, field: number, { series, attributes, variety }: Point): void {
  if (variety !== undefined) writeKeyValue(writer, field, `label.${variety}`, 'varied');
  if (attributes > 0) writeKeyValue(writer, field, 'http.request.method', 'GET');
  if (attributes > 1) writeKeyValue(writer, field, 'http.route', `/products/${series % 100}`);
  for (let i = 2; i < attributes; i++) writeKeyValue(writer, field, `attribute.${i}`, `value ${i}`);
  writeKeyValue(writer, field, 'id', String(series));
}

function placesOf(marker: bigint, body: Buffer): number[] {
  const pattern = Buffer.alloc(8);
  pattern.writeBigUInt64LE(marker);
  const places: number[] = [];
  for (let at = body.indexOf(pattern); at >= 0; at = body.indexOf(pattern, at + 8)) places.push(at);
  return places;
}
