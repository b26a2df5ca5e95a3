import type { AskQuery, QueryApi } from '../engine/query-apis.ts';
import { DatabaseApi } from './database-api.ts';
import { PipelinesApi } from './pipelines-api.ts';
import { TraceComparisonApi } from './trace-comparison-api.ts';

/** The queries that the console answers with those of several components. */
export function composed(ask: AskQuery): readonly QueryApi[] {
  return [new DatabaseApi(ask), new TraceComparisonApi(ask), new PipelinesApi(ask)];
}
