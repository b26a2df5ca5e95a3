/** Expressions that several panels and alerts share. */
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import type { Share } from '../../../dashboards/promql/arithmetic.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { latest, type Count, type LabelOf } from './promql.ts';

const ANSWERED = 'http_server_request_duration_seconds';
const SENT = 'http_client_request_duration_seconds';
const STATEMENTS = 'db_client_operation_duration_seconds';

/** Requests that the service answered with a 5xx status, and all requests. A client that gave up is not a failure of the service. */
export function failedRequests<By extends LabelOf<typeof ANSWERED>>(by: readonly By[], count: Count): Share<By> {
  return [sum(count(ANSWERED, { http_response_status_code: { startsWith: '5' } }), by), sum(count(ANSWERED), by)];
}

/** Requests that the service sent and that failed: no answer, or a 4xx or 5xx status. */
export function failedCalls<By extends LabelOf<typeof SENT>>(by: readonly By[], count: Count): Share<By> {
  return [sum(count(SENT, { error_type: { not: '' } }), by), sum(count(SENT), by)];
}

export function failedStatements<By extends LabelOf<typeof STATEMENTS>>(by: readonly By[], count: Count): Share<By> {
  return [sum(count(STATEMENTS, { error_type: { not: '' } }), by), sum(count(STATEMENTS), by)];
}

/** The longest time for which a process of each service has run nothing else, since its previous export. */
export function longestBlock(): Vector<'job'> {
  return max(latest('nodejs_eventloop_delay_max_seconds'), ['job']);
}
