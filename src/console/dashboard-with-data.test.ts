import { expect, it } from 'vitest';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { dashboardModels } from '../dashboards/model/dashboard-model.ts';
import { packMetrics } from '../packs/index.ts';
import { dashboardWithData } from './dashboard-with-data.ts';

const models = dashboardModels(shipped.dashboards);
const namesOf = (...beginnings: readonly string[]): ReadonlySet<string> =>
  new Set(Object.keys(packMetrics).filter((name) => beginnings.some((beginning) => name.startsWith(beginning))));

it.each([
  ['the first one if Prometheus has no metric', namesOf(), models[0]?.uid],
  ['the first one with data if all have', new Set(Object.keys(packMetrics)), models[0]?.uid],
  ['the one of the services for a service that is not the pipeline', namesOfServices(), 'siphon-service'],
  ['the one of the database for a database that is not the pipeline’s', namesOf('database_'), 'siphon-database'],
])('is %s', (_case, names, uid) => {
  expect(dashboardWithData(models, names).uid).toBe(uid);
});

/** The metrics of the runtime and of requests, which every service with the preload sends. */
function namesOfServices(): ReadonlySet<string> {
  const { rows } = models.find(({ uid }) => uid === 'siphon-service')!;
  const expressions = rows
    .flatMap(({ panels }) => panels)
    .flatMap(({ queries }) => queries.map((query) => query.expression));
  return new Set(expressions.join(' ').match(/\b(?:db|http|nodejs|process|service|v8js)_\w+/g));
}
