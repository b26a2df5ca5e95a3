import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { endOpenResponses, forgetResponse, watchResponse } from './open-responses.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('ends a response that stops for a minute, at the time of its last part', () => {
  const ended = vi.fn<(agoMs: number) => void>();
  let bytes = 0;
  watchResponse({}, { progress: () => bytes, end: ended });
  vi.advanceTimersByTime(40_000);
  bytes = 1;
  vi.advanceTimersByTime(60_000);
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(20_000);
  expect(ended).toHaveBeenCalledOnce();
  const agoMs = ended.mock.calls[0]?.[0];
  expect(agoMs).toBeGreaterThanOrEqual(60_000);
  expect(agoMs).toBeLessThanOrEqual(80_000);
  vi.advanceTimersByTime(300_000);
  endOpenResponses();
  expect(ended).toHaveBeenCalledOnce();
});

it('leaves a response alone that has ended, and ends the others with the process', () => {
  const ended = vi.fn<(agoMs: number) => void>();
  const [read, unread] = [{}, {}];
  watchResponse(read, { progress: () => 0, end: () => expect.unreachable() });
  watchResponse(unread, { progress: () => 0, end: ended });
  forgetResponse(read);
  expect(vi.getTimerCount()).toBe(1);
  endOpenResponses();
  expect(ended.mock.calls).toEqual([[0]]);
  expect(vi.getTimerCount()).toBe(0);
});
