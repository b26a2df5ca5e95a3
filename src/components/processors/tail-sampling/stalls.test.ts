import * as v from 'valibot';
import { expect, test } from 'vitest';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';
import { longestStallMs } from '../../../../tests/support/shapes/longest-stall.ts';
import { slowdown } from '../../../../tests/support/slowdown.ts';
import { waitFor } from '../../../../tests/support/wait-for.ts';
import { tailSamplingConfig } from './config.ts';
import { tailSamplingProcessor } from './factory.ts';

const MAX_STALL_MS = 20;
const ATTEMPTS = 5;

/** Needs ever new states: no table of states is large enough. */
const BLOW_UP = '(a|b)*a(a|b){12}c';
const MANY_LOOPS = `${'(.*)x'.repeat(100)}$`;

const decided = /_global_count_traces_sampled\{[^}]*decision="not_sampled"[^}]*\} 1\n/;
const gaveUp = /_sampling_policy_evaluation_error\{[^}]*\} 1\n/;

/** Different texts of this length of the letters a and b. */
function textsOf(count: number, length: number): string[] {
  let seed = 1;
  const random = (): number => (seed = Math.imul(seed ^ (seed >>> 15), 0x2c_1b_3c_6d) + 1) >>> 31;
  return Array.from({ length: count }, () => Array.from({ length }, () => (random() === 0 ? 'a' : 'b')).join(''));
}

test.each([
  ['long values', [BLOW_UP], textsOf(500, 4096), true],
  ['longer values', ['^(a+)+$', MANY_LOOPS], textsOf(8, 250_000), false],
  ['many values', ['^(a+)+$', 'c'], textsOf(20_000, 30), false],
  ['many patterns', Array.from({ length: 150 }, (_, i) => `(a|b){${i}}c`), textsOf(500, 200), true],
  ['large patterns', ['(a|b)*a(a|b){150}c', '(a|b)*b(a|b){150}d'], textsOf(100, 4096), true],
])('no patterns and values stop other work: %s', { timeout: 60_000 }, async (_name, values, texts, isTooMuch) => {
  const policy = { type: 'string_attribute', string_attribute: { key: 'key', values, enabled_regex_matching: true } };
  const config = v.parse(tailSamplingConfig, { decision_wait: '20ms', policies: [{ name: 'text', ...policy }] });
  const batch = batchOfSpans(texts.map((key, i) => ({ spanId: spanId(i + 1), attributes: { key } })));
  const stallsMs: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { settings, page } = componentSettings('processor', 'tail_sampling', 'traces');
    const processor = tailSamplingProcessor.create(settings, config, new SinkExporter());
    await processor.start(hostWith({}));
    const stallMs = await longestStallMs(async () => {
      await processor.consume(batch);
      await waitFor(async () => decided.test(await page()), { what: 'the decision' });
    });
    await processor.shutdown(AbortSignal.timeout(1000));
    expect(gaveUp.test(await page())).toBe(isTooMuch);
    stallsMs.push(stallMs);
    if (stallMs <= MAX_STALL_MS * slowdown()) return;
  }
  expect(Math.min(...stallsMs)).toBeLessThanOrEqual(MAX_STALL_MS);
});
