import { show } from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { jobErrorTypes } from '../labels.ts';
import { increase } from './promql.ts';

/** The outcomes of price jobs, for panels that show events. */
export const jobOutcomes = {
  description: 'Completed price jobs, and the reasons of failures.',
  queries: [
    show(sum(increase('price_job_success_total', step)), 'succeeded'),
    show(sum(increase('price_job_failures_total', step), ['error_type']), ({ error_type }) => failed(error_type)),
  ],
  tones: { succeeded: 'good', ...Object.fromEntries(jobErrorTypes.map((type) => [failed(type), 'bad'])) },
} as const;

function failed(type: string): string {
  return `failed: ${type}`;
}
