import { expect, it } from 'vitest';
import { jobErrorTypes } from '../labels.ts';
import { eachPanel } from '../../../../tests/support/dashboards/panel-data.ts';

it('shows failed price jobs in red on every panel that has them by reason', () => {
  const told = eachPanel.filter(({ panel }) => panel.queries.some(({ legend }) => legend.startsWith('failed: ')));
  const failures = jobErrorTypes.map((type) => [`failed: ${type}`, 'bad'] as const);
  expect(told.map(({ panel }) => panel.title).toSorted()).toEqual(['Jobs by outcome', 'Price jobs']);
  for (const { panel } of told)
    expect(panel).toMatchObject({ tones: { succeeded: 'good', ...Object.fromEntries(failures) } });
});
