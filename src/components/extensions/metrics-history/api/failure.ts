import type { QueryAnswer } from '../../../../engine/query-apis.ts';
import { jsonText } from '../../../../engine/json-text.ts';

const STATUSES = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  forbidden: 403,
} as const;

/** An error, as Prometheus's HTTP API answers it. */
export function failure(errorType: keyof typeof STATUSES, error: string): QueryAnswer {
  return { status: STATUSES[errorType], body: jsonText({ status: 'error', errorType, error }) };
}
