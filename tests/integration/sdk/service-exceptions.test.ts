/** Errors that a service records on its own spans. */
import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { startTestPostgres } from '../../support/postgres/test-postgres.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

it('records the class and the cause of an error with a code, as for other errors', async () => {
  await using run = await runObserved(`
    import { trace } from '@opentelemetry/api';
    class NoBeans extends Error {}
    const span = trace.getTracer('test').startSpan('brew');
    span.recordException(Object.assign(new NoBeans('none', { cause: new Error('sold out') }), { code: '57014' }), 5);
    span.recordException('no milk');
    span.end();`);
  expect(run.code).toBe(0);
  const [span] = run.capture.spans();
  const [noBeans, noMilk] = (span?.events ?? []).map(({ attributes }) => plainAttributes(attributes));
  expect(noBeans).toMatchObject({ 'exception.type': 'NoBeans', 'exception.message': 'none' });
  expect(noBeans?.['exception.stacktrace']).toContain('[cause]: Error: sold out');
  expect(noMilk).toEqual({ 'exception.message': 'no milk' });
});

it('leaves its own functions out of the stack', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await using run = await runObserved(`
    import { trace } from '@opentelemetry/api';
    import pg from 'pg';
    const client = new pg.Client({ connectionString: ${JSON.stringify(postgres.url)} });
    await client.connect();
    const span = trace.getTracer('test').startSpan('brew');
    async function brew() {
      await client.query('select from cups');
    }
    await brew().catch((error) => {
      console.log(error.stack);
      span.recordException(error);
    });
    span.end();
    await client.end();`);
  expect(run.stdout).toContain('recordWhenSettled');
  const events = run.capture.spans().flatMap(({ events: all = [] }) => all);
  const stacks = events.map(({ attributes }) => String(plainAttributes(attributes)['exception.stacktrace']));
  expect(stacks).not.toHaveLength(0);
  for (const stack of stacks) expect(stack).not.toContain('recordWhenSettled');
  expect(stacks.join()).toContain('at async brew');
});
