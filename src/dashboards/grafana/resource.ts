/** Dashboards as resources of Grafana 13, `dashboard.grafana.app/v2`, made of the same panels. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  DashboardCursorSync,
  DashboardLinkType,
  defaultDashboard,
  defaultTimeSettingsSpec,
  RepeatMode,
  VariableHide,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type DashboardLink,
  type GridLayoutItemKind,
  type PanelKind,
  type PanelQueryKind,
  type RowsLayoutRowKind,
  type VariableKind,
} from '@grafana/grafana-foundation-sdk/dashboardv2';
import { datasource } from '../model/variables.ts';
import type { PlainDashboard, PlainPanel, PlainRow, PlainVariable } from '../model/plain.ts';
import { OWN_TAG } from '../own-tag.ts';
import { descriptionOf, grafanaPanel } from './panel.ts';
import { titleOf } from './titles.ts';
import { ALL_VALUES, labelValues } from './variable.ts';

/** The version of Grafana whose plugins the options of the panels are written for. */
const PLUGIN_VERSION = '13.0.0';

export interface DashboardResource {
  readonly apiVersion: 'dashboard.grafana.app/v2';
  readonly kind: 'Dashboard';
  readonly metadata: { readonly name: string };
  readonly spec: Dashboard;
}

export function dashboardResource(dashboard: PlainDashboard): DashboardResource {
  const { uid, title, description, from, refresh, variables, links, rows } = dashboard;
  const spec: Dashboard = {
    ...defaultDashboard(),
    title,
    description,
    tags: [OWN_TAG],
    editable: false,
    cursorSync: DashboardCursorSync.Crosshair,
    timeSettings: {
      ...defaultTimeSettingsSpec(),
      timezone: 'browser',
      from: `now-${from}`,
      to: 'now',
      autoRefresh: refresh,
    },
    variables: variables.map(variableKind),
    links: links.map(linkTo),
    elements: Object.fromEntries(
      rows.flatMap(({ panels }) => panels).map((panel) => [elementName(panel), panelKind(panel)]),
    ),
    layout: { kind: 'RowsLayout', spec: { rows: rows.map(rowKind) } },
  };
  return { apiVersion: 'dashboard.grafana.app/v2', kind: 'Dashboard', metadata: { name: uid }, spec };
}

function elementName({ id }: PlainPanel): string {
  return `panel-${id}`;
}

function panelKind(plain: PlainPanel): PanelKind {
  const { id, title, type, links = [], options, fieldConfig, transformations = [], interval } = grafanaPanel(plain, 0);
  return {
    kind: 'Panel',
    spec: {
      id: id ?? plain.id,
      title: title ?? plain.title,
      description: descriptionOf(plain),
      links: links.map((link) => ({ title: link.title, url: link.url ?? '' })),
      data: {
        kind: 'QueryGroup',
        spec: {
          queries: plain.queries.map((query) => queryKind(query.refId, grafanaPanel(plain, 0))),
          transformations: transformations.map(({ id: group, options: given }) => ({
            kind: 'Transformation',
            group,
            spec: { options: given },
          })),
          queryOptions: interval === undefined ? {} : { interval },
        },
      },
      // The two forms describe fields in the same way; only mappings, which no panel has, are typed differently.
      vizConfig: {
        kind: 'VizConfig',
        group: type,
        version: PLUGIN_VERSION,
        spec: { options, fieldConfig: fieldConfig as unknown as PanelKind['spec']['vizConfig']['spec']['fieldConfig'] },
      },
    },
  };
}

function queryKind(refId: string, { targets = [] }: Panel): PanelQueryKind {
  const target = targets.find((one) => (one as { refId?: string }).refId === refId);
  const { refId: _, datasource: __, ...spec } = { refId, datasource: undefined, ...(target as object) };
  return {
    kind: 'PanelQuery',
    spec: { refId, hidden: false, query: prometheusQuery(spec) },
  };
}

function prometheusQuery(spec: object): PanelQueryKind['spec']['query'] {
  return {
    kind: 'DataQuery',
    group: 'prometheus',
    version: 'v0',
    datasource: { name: `\${${datasource.name}}` },
    spec,
  };
}

function rowKind({ title, repeatFor, panels }: PlainRow): RowsLayoutRowKind {
  const items = panels.map((panel): GridLayoutItemKind => {
    const element = { kind: 'ElementReference' as const, name: elementName(panel) };
    return { kind: 'GridLayoutItem', spec: { ...panel.place, element } };
  });
  return {
    kind: 'RowsLayoutRow',
    spec: {
      title,
      collapse: false,
      ...(repeatFor !== undefined && { repeat: { mode: RepeatMode.Variable, value: repeatFor } }),
      layout: { kind: 'GridLayout', spec: { items } },
    },
  };
}

function variableKind(variable: PlainVariable): VariableKind {
  const { name, label, description } = variable;
  const common = { name, label, description, hide: VariableHide.DontHide, skipUrlSync: false, allowCustomValue: true };
  switch (variable.kind) {
    case 'datasource':
      return {
        kind: 'DatasourceVariable',
        spec: {
          ...common,
          pluginId: 'prometheus',
          refresh: VariableRefresh.OnDashboardLoad,
          regex: '',
          current: { text: '', value: '' },
          options: [],
          multi: false,
          includeAll: false,
        },
      };
    case 'choice':
      return {
        kind: 'CustomVariable',
        spec: {
          ...common,
          query: variable.values.join(','),
          current: { text: variable.first, value: variable.first },
          options: variable.values.map((value) => ({ text: value, value, selected: value === variable.first })),
          multi: false,
          includeAll: false,
        },
      };
    case 'values':
      return {
        kind: 'QueryVariable',
        spec: {
          ...common,
          query: prometheusQuery({ query: labelValues(variable), refId: name }),
          definition: labelValues(variable),
          refresh: VariableRefresh.OnTimeRangeChanged,
          sort: VariableSort.AlphabeticalAsc,
          regex: '',
          options: [],
          current: { text: ['All'], value: ['$__all'] },
          multi: true,
          includeAll: true,
          allValue: ALL_VALUES,
        },
      };
  }
}

function linkTo(uid: PlainDashboard['links'][number]): DashboardLink {
  return {
    title: titleOf(uid),
    type: DashboardLinkType.Link,
    url: `/d/${uid}`,
    icon: 'dashboard',
    tooltip: '',
    tags: [],
    asDropdown: false,
    targetBlank: false,
    includeVars: true,
    keepTime: true,
  };
}
