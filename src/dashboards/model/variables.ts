import type { KnownMetricName } from '../../packs/known-metrics.ts';
import type { Scope } from '../promql/render.ts';
import type { LabelOf } from '../promql/vector.ts';

/** A choice that the reader of a dashboard makes. */
export type Variable = DatasourceVariable | ValuesVariable | ChoiceVariable;

export interface DatasourceVariable {
  readonly kind: 'datasource';
  readonly name: string;
  readonly label: string;
  readonly description: string;
}

/** The values that a label of a metric has; several may be chosen, and all are at first. */
export interface ValuesVariable {
  readonly kind: 'values';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly metric: KnownMetricName;
  readonly of: string;
  /** Another variable that narrows the values: by label. */
  readonly within?: Readonly<Record<string, string>>;
}

export interface ChoiceVariable {
  readonly kind: 'choice';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly values: readonly string[];
  readonly first: string;
}

export const datasource: DatasourceVariable = {
  kind: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  description: 'Where the metrics are',
};

export const job = valuesOf('memory_usage_bytes', 'job', {
  name: 'job',
  label: 'Service',
  description: 'The services that are observed, by service.name',
});

export const instance = valuesOf('memory_usage_bytes', 'instance', {
  name: 'instance',
  label: 'Process',
  description: 'Processes of the services; each start is a new one',
  within: { job: 'job' },
});

export const database = valuesOf('pipeline_health_input_percent', 'instance', {
  name: 'database',
  label: 'Database',
  description: 'The pollers, each of which asks one database',
});

export const polledDatabase = valuesOf('database_connections_used', 'instance', {
  name: 'database',
  label: 'Database',
  description: 'The pollers, each of which asks one database',
});

export const sidecar = valuesOf('otelcol_process_uptime', 'instance', {
  name: 'sidecar',
  label: 'Sidecar',
  description: 'The sidecars, by the address of their own page',
});

export const roaster = valuesOf('scrape_runs_running', 'roaster', {
  name: 'roaster',
  label: 'Roaster',
  description: 'The roasters that the database knows',
  within: { platform: 'platform' },
});

export const platform = valuesOf('scrape_runs_running', 'platform', {
  name: 'platform',
  label: 'Platform',
  description: 'What the shops of the roasters run on',
});

export const timeWindow: ChoiceVariable = {
  kind: 'choice',
  name: 'window',
  label: 'Window',
  description: 'How far back single numbers look: a week has one price run of each roaster, 30 days have a full one',
  values: ['1h', '6h', '1d', '7d', '30d'],
  first: '7d',
};

/** Which variable of the dashboards chooses what. The roaster is called `source` where the pipeline itself counts. */
export const scope: Scope = {
  labels: { roaster: 'roaster', source: 'roaster', platform: 'platform' },
  sources: {
    sdk: { job: 'job', instance: 'instance' },
    runtime: { job: 'job', instance: 'instance' },
    poller: { instance: 'database' },
    sidecar: { instance: 'sidecar' },
  },
};

/** The scope of a dashboard that has only some of the variables. */
export function scopeOf(variables: readonly Variable[]): Scope {
  const names = new Set(variables.map(({ name }) => name));
  const present = (chosen: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(chosen).filter(([, variable]) => names.has(variable)));
  return {
    labels: present(scope.labels),
    sources: Object.fromEntries(Object.entries(scope.sources).map(([source, chosen]) => [source, present(chosen)])),
  };
}

function valuesOf<Name extends KnownMetricName>(
  metric: Name,
  of: LabelOf<Name>,
  rest: Omit<ValuesVariable, 'kind' | 'metric' | 'of'>,
): ValuesVariable {
  return { kind: 'values', metric, of, ...rest };
}
