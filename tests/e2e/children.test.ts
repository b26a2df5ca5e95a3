/** Processes and threads that a service starts. */
import { expect, it } from 'vitest';
import { plainAttributes } from '../support/otlp/otlp-capture.ts';
import { runObservedFile } from '../support/processes/observed-script.ts';

/** The name of the parent of each request that a child sent. */
async function parentsWith(environment: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  // Seven processes start at the same time: the last export of one may take longer than half a second.
  const patient = { SIPHON_FLUSH_TIMEOUT_MS: '10000', ...environment };
  await using run = await runObservedFile(['tests/support/clients/children.mjs'], patient, 'siphon-otel/preload');
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout.trim().split('\n').toSorted()).toEqual([
    'child false',
    'cluster false',
    'exec false',
    'execFile false',
    'other false',
    'spawn false',
    'worker false',
  ]);
  const spans = run.capture.spans();
  const names = new Map(spans.map(({ span_id, name }) => [span_id, name]));
  const sent = spans.filter(({ kind }) => kind === 'SPAN_KIND_CLIENT');
  return Object.fromEntries(
    sent.map(({ attributes, parent_span_id }) => [
      new URL(String(plainAttributes(attributes)['url.full'])).pathname.slice(1),
      names.get(parent_span_id ?? '') ?? 'none',
    ]),
  );
}

const children = { child: 'caller', exec: 'caller', execFile: 'caller', spawn: 'caller' };

it('continues the trace in a child, and not in the worker of a cluster, which is a server', async () => {
  expect(await parentsWith({})).toEqual({ ...children, cluster: 'none' });
});

it('observes worker threads if the environment asks for it', async () => {
  expect(await parentsWith({ SIPHON_OBSERVE_WORKERS: 'true' })).toEqual({
    ...children,
    cluster: 'none',
    worker: 'caller',
  });
});
