import * as v from 'valibot';
import { request } from 'node:http';
import { expect, it, test } from 'vitest';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { SINGLE, type SampleSource } from '../../../engine/metric-history.ts';
import { metricsHistoryConfig } from './config.ts';
import { metricsHistoryExtension } from './factory.ts';
import { MetricsHistoryExtension } from './extension.ts';

const level: SampleSource = {
  sample: async (sink) => {
    for (const room of ['1', '2']) {
      sink.write(sink.numberOf({ name: 'level', labels: `room="${room}"`, parts: SINGLE }), Number(room));
    }
  },
  metadata: () => [{ name: 'level', type: 'gauge', help: 'How high' }],
};

const broken: SampleSource = {
  sample: async () => await Promise.reject(new Error('nothing to see')),
  metadata: () => [],
};

async function started(keys: Record<string, unknown> = {}, sources: readonly SampleSource[] = [level]) {
  const { settings, lines, page } = componentSettings('extension', 'metrics_history');
  const config = v.parse(metricsHistoryConfig, { endpoint: '127.0.0.1:0', interval: '1s', ...keys });
  const extension = metricsHistoryExtension(async () => []).create(settings, config) as MetricsHistoryExtension;
  await extension.start(hostWith());
  const following = sources.map((source) => extension.follow(source));
  const url = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  const ask = async (path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await fetch(`${url}/api/v1/${path}`, init);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const values = async (query: string): Promise<unknown> => {
    const { body } = await ask(`query?${new URLSearchParams({ query }).toString()}`);
    const { result } = body['data'] as { result: readonly { metric: object; value: readonly [number, string] }[] };
    return result.map(({ metric, value }) => [metric, value[1]]);
  };
  return {
    url,
    ask,
    values,
    page,
    lines,
    unfollow: () => following.forEach((one) => one[Symbol.dispose]()),
    [Symbol.asyncDispose]: async () => await extension.shutdown(AbortSignal.timeout(1000)),
  };
}

const undescribed: SampleSource = {
  ...level,
  metadata: () => {
    throw new Error('nothing to show');
  },
};

const TWO_ROOMS = [
  [{ __name__: 'level', room: '1' }, '1'],
  [{ __name__: 'level', room: '2' }, '2'],
];

it('records what it follows, although another source fails, until it ends', async () => {
  await using history = await started({}, [broken, level]);
  await expect.poll(() => history.values('level'), { timeout: 5000 }).toEqual(TWO_ROOMS);
  expect(history.lines).toContainEqual(expect.objectContaining({ msg: 'Metrics are not recorded' }));
  expect(await history.page()).toContain('siphon_history_series{extension="metrics_history"} 2\n');
  expect(await history.page()).toContain('siphon_history_left_out_series{extension="metrics_history"} 0\n');
  history.unfollow();
  await expect.poll(() => history.values('level'), { timeout: 5000 }).toEqual([]);
});

it('answers the exemplars of the selectors in a query, each series once', async () => {
  const exemplar = { value: 1.5, timeNs: 0n, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const withExemplars: SampleSource = {
    ...level,
    sample: async (sink) => {
      await level.sample(sink);
      sink.writeExemplar(sink.numberOf({ name: 'level', labels: 'room="2"', parts: SINGLE }), exemplar);
    },
  };
  await using history = await started({}, [withExemplars]);
  const query = 'sum(rate(level[1m])) / sum by (room) (level{room="2"} offset 1s) + vector(1)';
  const exemplars = async (range = ''): Promise<unknown> =>
    (await history.ask(`query_exemplars?${new URLSearchParams({ query }).toString()}${range}`)).body['data'];
  await expect
    .poll(() => exemplars(), { timeout: 5000 })
    .toEqual([
      {
        seriesLabels: { __name__: 'level', room: '2' },
        exemplars: [
          {
            labels: { span_id: exemplar.spanId, trace_id: exemplar.traceId },
            value: '1.5',
            timestamp: expect.any(Number) as number,
          },
        ],
      },
    ]);
  expect(await exemplars('&start=0&end=1')).toEqual([]);
});

test.each([
  ['query_exemplars', 400, 'the parameter query is missing'],
  ['query_exemplars?query=rate(up)', 400, 'rate needs a range vector'],
  ['query', 400, 'the parameter query is missing'],
  ['query?query=rate(up)', 400, 'rate needs a range vector'],
  ['query?query=up&time=tomorrow', 400, 'the parameter time is not a time'],
  ['query_range?query=up&start=0&end=1e9&step=1', 400, 'more than 11000 steps'],
  ['query_range?query=up&start=2026-01-01T00:00:00Z&end=2026-01-01T00:00:01Z', 400, 'the parameter step is missing'],
  ['query_range?query=up&start=1&end=0&step=1m', 400, 'the end is before the start'],
  ['query?query=sum_over_time(vector(1)[1y:1s])', 422, 'samples'],
  ['series', 400, 'match[] is missing'],
  ['series?match[]=rate(up[5m])', 400, 'match[] must be a selector'],
  ['admin/tsdb/snapshot', 404, 'not supported'],
  ['constructor', 404, 'not supported'],
])('%s is refused with %i', async (path, status, error) => {
  await using history = await started();
  const { status: found, body } = await history.ask(path);
  expect({ status: found, ...body }).toMatchObject({
    status: 'error',
    error: expect.stringContaining(error) as string,
  });
  expect(found).toBe(status);
});

test.each([
  [{ host: 'rebound.example.com' }, 403],
  [{ host: '127.0.0.1', origin: 'https://example.com' }, 403],
  [{ host: 'localhost:1234' }, 200],
  [{ host: '[::1]' }, 200],
])('a request with %j gets %i', async (headers, status) => {
  await using history = await started();
  const answered = await new Promise<number | undefined>((resolve, reject) => {
    request(`${history.url}/api/v1/query?query=1`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(answered).toBe(status);
});

it('takes no method that could change something, and no body without an end', async () => {
  await using history = await started();
  const deleted = await fetch(`${history.url}/api/v1/series`, { method: 'DELETE' });
  expect(deleted.status).toBe(405);
  const long = await history.ask('query', {
    method: 'POST',
    body: new URLSearchParams({ query: 'x'.repeat(2 ** 21) }),
  });
  expect(long).toMatchObject({ status: 400, body: { error: expect.stringContaining('longer than') } });
  expect(await history.ask('query', { method: 'POST', body: new URLSearchParams({ query: '2 * 3' }) })).toMatchObject({
    body: { data: { resultType: 'scalar' } },
  });
});

const LONG_LABEL = `label_replace(vector(1), "x", "${'a'.repeat(10_000)}", "", "")`;

test.each([
  [`label_replace(${LONG_LABEL}, "y", "z", "x", "${'(.*)'.repeat(100)}z")`, 200, undefined],
  [`label_replace(${LONG_LABEL}, "y", "z", "x", "${'((a|b|c|_|.)*)'.repeat(45)}")`, 503, 'timeout'],
  [`label_replace(${LONG_LABEL}, "y", "z", "x", "${'(.*)'.repeat(300)}")`, 400, 'bad_data'],
  [`label_replace(${LONG_LABEL}, "x", "${'$1'.repeat(100)}", "x", "(.*)")`, 422, 'execution'],
  [`2${'^2'.repeat(30_000)}`, 400, 'bad_data'],
  ['abs('.repeat(10_000), 400, 'bad_data'],
])('a query that would take very much gets an answer', async (expression, status, errorType) => {
  await using history = await started({ query_timeout: status === 503 ? '100ms' : '30s' });
  const body = new URLSearchParams({ query: expression });
  expect(await history.ask('query', { method: 'POST', body })).toMatchObject({
    status,
    body: errorType === undefined ? { status: 'success' } : { errorType },
  });
});

it('answers also if a query fails for a reason that is not known', async () => {
  await using history = await started({}, [undescribed]);
  expect(await history.ask('metadata')).toMatchObject({ status: 500, body: { errorType: 'internal' } });
  expect(history.lines).toContainEqual(expect.objectContaining({ msg: 'A query failed' }));
});

it('escapes control characters and marks of direction', async () => {
  await using history = await started();
  const text = 'a\u009Bb\u0085c\u202Ed\u2066e\u2028f\u007Fg';
  const queries = [`"${text}"`, `label_replace(vector(1), "x", "${text}", "", "")`, text];
  for (const query of queries) {
    const answer = await fetch(`${history.url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
    const body = await answer.text();
    expect(body, query).toMatch(/^[ -~]+$/);
    expect(JSON.stringify(JSON.parse(body)), query).toContain(query === text ? 'bad_data' : text);
  }
});

it('bounds the selectors of a request', async () => {
  await using history = await started();
  const ask = async (count: number): Promise<unknown> => {
    const selector = `{__name__=~"${'(.*)'.repeat(100)}z"}`;
    const body = new URLSearchParams(Array.from({ length: count }, (): [string, string] => ['match[]', selector]));
    return await history.ask('series', { method: 'POST', body });
  };
  expect(await ask(500)).toMatchObject({ status: 400, body: { error: expect.stringContaining('more than 100') } });
  expect(await ask(100)).toMatchObject({ status: 200, body: { data: [] } });
});

it('ends a query that takes too long, and answers others meanwhile', async () => {
  await using history = await started({ query_timeout: '5ms', max_query_samples: 1e12 });
  const slow = history.ask(
    `query?query=${encodeURIComponent('sum_over_time((vector(1) + vector(2))[1d:1s])[12h:1s]')}`,
  );
  const quick = history.ask('query?query=1');
  expect(await slow).toMatchObject({ status: 503, body: { errorType: 'timeout' } });
  expect((await quick).status).toBe(200);
});
