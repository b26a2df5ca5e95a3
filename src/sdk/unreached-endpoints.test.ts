import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UnreachedEndpoints } from './unreached-endpoints.ts';

const TRACES = 'http://user:secret@127.0.0.1:4318/v1/traces?secret';
const METRICS = 'http://127.0.0.1:4318/v1/metrics';
const REFUSED = 'connect ECONNREFUSED 127.0.0.1:4318';

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('reports an outage once for all signals, at the first attempt that fails after a minute', () => {
  const endpoints = new UnreachedEndpoints();
  endpoints.failed(METRICS, REFUSED);
  vi.advanceTimersByTime(30_000);
  endpoints.failed(TRACES, REFUSED);
  vi.advanceTimersByTime(29_000);
  endpoints.failed(METRICS, REFUSED);
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(1000);
  endpoints.failed(METRICS, REFUSED);
  vi.advanceTimersByTime(100_000);
  endpoints.failed(TRACES, REFUSED);
  expect(lines).toEqual([
    `siphon-otel/preload: no telemetry reaches http://127.0.0.1:4318/v1/metrics and http://127.0.0.1:4318/v1/traces; the first attempt failed 60 s ago: ${REFUSED}\n`,
  ]);
});

it('does not show tokens in the path of an endpoint', () => {
  new UnreachedEndpoints(0).failed('http://h.test/hook/9fceb02d0ae598e95dc970b74767f193/x', REFUSED);
  expect(lines.join('')).toContain('no telemetry reaches http://h.test/hook/[Filtered]/x;');
});

it('does not report a signal that fails later for the same reason, and reports one that fails for another', () => {
  const endpoints = new UnreachedEndpoints(0);
  endpoints.failed(METRICS, REFUSED);
  endpoints.failed(TRACES, REFUSED);
  expect(lines).toHaveLength(1);
  endpoints.reached(TRACES);
  endpoints.failed(TRACES, 'the OTLP endpoint answered 404');
  expect(lines).toHaveLength(2);
});

it('reports the next outage', () => {
  const endpoints = new UnreachedEndpoints(0);
  endpoints.failed(METRICS, REFUSED);
  endpoints.reached(METRICS);
  endpoints.failed(METRICS, REFUSED);
  expect(lines).toHaveLength(2);
});
