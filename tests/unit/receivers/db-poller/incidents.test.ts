import { expect, it } from 'vitest';
import { InvalidCrons } from '../../../../src/receivers/db-poller/invalid-crons.ts';
import { SharedIncident } from '../../../../src/receivers/db-poller/shared-incident.ts';
import { logLines } from '../../../support/log-lines.ts';

it('lasts from the first that fails to the last that recovers, and opens again', () => {
  const { logger, lines } = logLines();
  const incident = new SharedIncident(logger, { failing: 'down', recovered: 'up' });
  const said = (): unknown[] => lines.map(({ msg }) => msg);
  incident.succeeded('a');
  incident.failed('a', new Error('away'));
  incident.failed('b', new Error('away'));
  incident.succeeded('a');
  incident.failed('b', new Error('away'));
  expect(said()).toEqual(['down']);
  incident.succeeded('b');
  incident.succeeded('b');
  expect(said()).toEqual(['down', 'up']);
  incident.failed('a', new Error('away'));
  expect(said()).toEqual(['down', 'up', 'down']);
});

it('speaks of invalid cron texts when there is one more, and when there is none left', () => {
  const { logger, lines } = logLines();
  const crons = new InvalidCrons(logger);
  for (const subjects of [[], ['a'], ['a'], ['a', 'b'], ['b'], [], [], ['a']]) crons.found(subjects);
  expect(lines.map(({ level, count }) => ({ level, count }))).toEqual([
    { level: 40, count: 1 },
    { level: 40, count: 2 },
    { level: 30, count: undefined },
    { level: 40, count: 1 },
  ]);
});

it('names ten of them at most', () => {
  const { logger, lines } = logLines();
  new InvalidCrons(logger).found(Array.from({ length: 500 }, (_, i) => `roaster ${i}`));
  expect(lines).toMatchObject([{ count: 500, subjects: { length: 10 } }]);
});
