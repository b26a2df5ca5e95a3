import { expect, it } from 'vitest';
import { SubjectReport } from './gauge-run.ts';
import { logLines } from '../../../../../tests/support/components/log-lines.ts';

it('logs invalid cron texts when a new one is found, and when none is left', () => {
  const { logger, lines } = logLines();
  const crons = new SubjectReport(logger, 'invalid_cron');
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
  new SubjectReport(logger, 'missing_table').found(Array.from({ length: 500 }, (_, i) => `public.t${i}`));
  expect(lines).toMatchObject([{ count: 500, subjects: { length: 10 } }]);
});
