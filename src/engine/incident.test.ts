import { expect, it } from 'vitest';
import { Incident } from './incident.ts';
import { logLines } from '../../tests/support/components/log-lines.ts';

it('logs each incident once with its first error, and its end once with the number of failures', () => {
  const { logger, lines } = logLines();
  const incident = new Incident(logger, { failing: 'It fails', recovered: 'It works' });
  incident.succeeded();
  for (const message of ['first', 'second', 'third']) incident.failed(new Error(message));
  incident.succeeded();
  incident.succeeded();
  incident.failed(new Error('another'));
  expect(lines.map(({ msg }) => msg)).toEqual(['It fails', 'It works', 'It fails']);
  expect(lines[0]).toMatchObject({ level: 40, err: { message: 'first' } });
  expect(lines[1]).toMatchObject({ level: 30, failures: 3 });
});
