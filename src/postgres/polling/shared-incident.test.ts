import { expect, it } from 'vitest';
import { SharedIncident } from './shared-incident.ts';
import { logLines } from '../../../tests/support/components/log-lines.ts';

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
