import { Agent, request as httpRequest } from 'node:http';
import { beforeAll, expect, it } from 'vitest';
import type { Signal } from '../../../../src/engine/component.ts';
import { inspectRequest } from '../../../../src/engine/otlp/inspect-request.ts';
import { MalformedError } from '../../../../src/engine/otlp/malformed-error.ts';
import { protobufFromJson } from '../../../../src/engine/otlp/json/protobuf-from-json.ts';
import { otlpTree } from '../../../support/otlp/otlp-tree.ts';
import { sdkRequests, type SdkRequest } from '../../../support/otlp/sdk-requests.ts';
import { framed, GrpcCaller } from './grpc-caller.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const REQUESTS = Number(process.env['SIPHON_FUZZ_REQUESTS'] ?? 3000);
const SEED = Number(process.env['SIPHON_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const TIMEOUT_MS = 30_000 + REQUESTS * 5;
const SIGNALS = ['traces', 'metrics', 'logs'] as const;

interface Mutant {
  readonly signal: Signal;
  readonly encoding: keyof SdkRequest;
  readonly bytes: Uint8Array;
}

let requests: Readonly<Record<Signal, SdkRequest>>;

beforeAll(async () => {
  requests = await sdkRequests();
});

/** Numbers below `limit`, always the same for one seed (mulberry32). */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Bytes that protobuf's and JSON's readers have special cases for. */
const SPECIAL = Buffer.from([0, 0x7f, 0x80, 0xff, 8, 9, 10, 13, 18, ...Buffer.from('{}[]",:\\-.eE09n')]);

type Mutation = (bytes: Uint8Array, random: (limit: number) => number) => Uint8Array;

const mutations: readonly Mutation[] = [
  (bytes, random) => flip(bytes, random(bytes.length * 8)),
  (bytes, random) =>
    splice(bytes, random(bytes.length), { remove: 1, insert: SPECIAL.subarray(random(SPECIAL.length)).subarray(0, 1) }),
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => splice(bytes, random(bytes.length), { remove: random(20) }),
  (bytes, random) => splice(bytes, random(bytes.length), { insert: SPECIAL.subarray(random(SPECIAL.length)) }),
  (bytes, random) => {
    const from = random(bytes.length);
    return splice(bytes, random(bytes.length), { insert: bytes.subarray(from, from + random(200)) });
  },
];

interface Splice {
  readonly remove?: number;
  readonly insert?: Uint8Array;
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const turned = Buffer.from(bytes);
  if (bytes.length > 0) turned[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  return turned;
}

function splice(bytes: Uint8Array, at: number, { remove = 0, insert = new Uint8Array() }: Splice): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}

function* mutants(): Generator<Mutant> {
  const random = randomNumbers(SEED);
  for (let i = 0; i < REQUESTS; i++) {
    const signal = SIGNALS[random(3)] as Signal;
    const encoding = random(2) === 0 ? 'protobuf' : 'json';
    let bytes: Uint8Array = Buffer.from(requests[signal][encoding]);
    for (let count = 1 + random(3); count > 0; count--)
      bytes = (mutations[random(mutations.length)] as Mutation)(bytes, random);
    yield { signal, encoding, bytes };
  }
}

/** The items of an accepted request; undefined for a refused one. */
function inspect({ signal, encoding, bytes }: Mutant): number | undefined {
  try {
    const protobuf = encoding === 'json' ? protobufFromJson(signal, bytes) : bytes;
    const items = inspectRequest(signal, protobuf);
    // Accepted requests can be read to the last byte.
    otlpTree(signal, protobuf);
    return items;
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

it(`refuses ${REQUESTS} damaged requests or can read them (SIPHON_FUZZ_SEED=${SEED})`, { timeout: TIMEOUT_MS }, () => {
  const outcomes = { taken: 0, refused: 0 };
  for (const mutant of mutants()) outcomes[inspect(mutant) === undefined ? 'refused' : 'taken']++;
  expect(outcomes.taken + outcomes.refused).toBe(REQUESTS);
  expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(REQUESTS / 20);
});

it(
  `answers ${REQUESTS} damaged requests and counts each (SIPHON_FUZZ_SEED=${SEED})`,
  { timeout: TIMEOUT_MS },
  async () => {
    await using receiver = await ReceiverUnderTest.start();
    let items = 0;
    receiver.consume = async ({ itemCount }) => void (items += itemCount);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const expected = { items: 0, statuses: new Map<number, number>() };
    const statuses = new Map<number, number>();
    const all = mutants();
    const sendAll = async (): Promise<void> => {
      for (const mutant of all) {
        const inspected = inspect(mutant);
        increment(expected.statuses, inspected === undefined ? 400 : 200);
        expected.items += inspected ?? 0;
        increment(statuses, await post(`${receiver.httpUrl}/v1/${mutant.signal}`, agent, mutant));
      }
    };
    await Promise.all(Array.from({ length: 8 }, sendAll));
    agent.destroy();
    expect({ items, statuses }).toEqual(expected);
    expect(await receiver.rejected()).toEqual({ 'http/malformed': expected.statuses.get(400) });
  },
);

it(
  `answers ${REQUESTS} damaged gRPC calls and counts each (SIPHON_FUZZ_SEED=${SEED})`,
  { timeout: TIMEOUT_MS },
  async () => {
    await using receiver = await ReceiverUnderTest.start();
    using caller = new GrpcCaller(receiver.endpoint('grpc'));
    const random = randomNumbers(SEED);
    const taken = { items: 0, calls: 0 };
    receiver.consume = async ({ itemCount }) => void (taken.items += itemCount);
    const expected = { ...taken };
    let refused = 0;
    const all = damagedCalls(random);
    const sendAll = async (): Promise<void> => {
      for (const bytes of all) {
        const inspected = inspectCall(bytes);
        expected.items += inspected ?? 0;
        if (inspected !== undefined) expected.calls++;
        const call = caller.begin();
        for (const chunk of inChunks(bytes, random)) call.stream.write(chunk);
        call.stream.end();
        const { status } = await call.answer;
        if (status === 0) taken.calls++;
        else refused++;
      }
    };
    await Promise.all(Array.from({ length: 8 }, sendAll));
    expect(taken).toEqual(expected);
    expect(taken.calls + refused).toBe(REQUESTS);
    const counted = Object.values(await receiver.rejected()).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(refused);
    expect(Math.min(taken.calls, refused)).toBeGreaterThan(REQUESTS / 20);
  },
);

/** Frames whose prefix may be damaged as well as their message. */
function* damagedCalls(random: (limit: number) => number): Generator<Uint8Array> {
  const intact = requests.traces.protobuf;
  for (let i = 0; i < REQUESTS; i++) {
    const mutation = mutations[random(mutations.length)] as Mutation;
    yield random(2) === 0 ? mutation(framed(intact), random) : framed(mutation(intact, random));
  }
}

/** The items of an accepted request; undefined for a refused one. */
function inspectCall(bytes: Uint8Array): number | undefined {
  const isWhole = bytes.length >= 5 && bytes[0] === 0 && Buffer.from(bytes).readUInt32BE(1) === bytes.length - 5;
  return isWhole ? inspect({ signal: 'traces', encoding: 'protobuf', bytes: bytes.subarray(5) }) : undefined;
}

function* inChunks(bytes: Uint8Array, random: (limit: number) => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random(random(2) === 0 ? 8 : bytes.length);
    yield bytes.subarray(at, end);
    at = end;
  }
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function post(url: string, agent: Agent, { encoding, bytes }: Mutant): Promise<number> {
  const headers = { 'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf' };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: 'POST', agent, headers: { ...headers, 'content-length': bytes.length } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    request.on('error', reject);
    request.end(bytes);
  });
}
