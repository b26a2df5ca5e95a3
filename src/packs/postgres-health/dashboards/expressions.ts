/** Expressions that several panels and alerts share. */
import { max } from '../../../dashboards/promql/aggregate.ts';
import { relativeTo } from '../../../dashboards/promql/arithmetic.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { latest } from './promql.ts';

export function connectionsUsed(): Vector<'instance'> {
  return relativeTo(
    max(latest('database_connections_used'), ['instance']),
    max(latest('database_connections_limit'), ['instance']),
  );
}
