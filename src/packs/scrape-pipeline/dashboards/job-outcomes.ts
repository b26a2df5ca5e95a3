import { show } from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { jobErrorTypes } from '../labels.ts';
import { increase } from './promql.ts';

/** What became of price jobs, as events of a panel. */
export const jobOutcomes = {
  description: 'Price jobs that ended, and why those failed that did.',
  queries: [
    show(sum(increase('price_job_success_total', step)), 'succeeded'),
    show(sum(increase('price_job_failures_total', step), ['error_type']), ({ error_type }) => failed(error_type)),
  ],
  tones: { succeeded: 'good', ...Object.fromEntries(jobErrorTypes.map((type) => [failed(type), 'bad'])) },
} as const;

function failed(type: string): string {
  return `failed: ${type}`;
}
