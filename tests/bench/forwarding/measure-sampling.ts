import type { CollectorProgram } from '../../support/processes/collector-process.ts';
import type { CaseResult } from '../measure-case.ts';
import { measureForwarders } from './measure-forwarding.ts';

const SPANS_PER_TRACE = 10;

/** No trace is dropped, so that a lost span is noticed; the other policies look at all spans all the same. */
const TAIL_SAMPLING = {
  decision_wait: '1s',
  num_traces: 1_000_000,
  policies: [
    { name: 'slow', type: 'latency', latency: { threshold_ms: 1000 } },
    { name: 'failed', type: 'status_code', status_code: { status_codes: ['ERROR'] } },
    { name: 'shop', type: 'string_attribute', string_attribute: { key: 'server.address', values: ['other.example'] } },
    { name: 'all', type: 'always_sample' },
  ],
};

/** Lets all programs decide about traces that arrive in one request each. */
export async function measureSampling(programs: readonly CollectorProgram[], rounds: number): Promise<CaseResult> {
  return await measureForwarders(
    {
      compression: 'none',
      stored: false,
      // The stock Collector passes on each trace separately, and its queue overflows without batches.
      processors: { tail_sampling: TAIL_SAMPLING, batch: {} },
      spansPerTrace: SPANS_PER_TRACE,
    },
    programs,
    rounds,
  );
}
