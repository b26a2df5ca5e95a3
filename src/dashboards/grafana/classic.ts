/** Dashboards in the classic JSON model. Every Grafana reads it; newer versions convert it when they load it. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
  type Dashboard,
  type DashboardLink,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardRef, DashboardModel } from '../model/dashboard-model.ts';
import { DASHBOARD_TAG } from '../dashboard-tag.ts';
import { grafanaPanel } from './panel.ts';
import { grafanaVariable } from './variable.ts';

/** The text of the file. */
export function classicDashboardText(dashboard: DashboardModel): string {
  return `${JSON.stringify(classicDashboard(dashboard), undefined, 2)}\n`;
}

export function classicDashboard(dashboard: DashboardModel): Dashboard {
  const { uid, title, description, from, refresh, variables, links, rows } = dashboard;
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([DASHBOARD_TAG])
    .readonly()
    .timezone('browser')
    .time({ from: `now-${from}`, to: 'now' })
    .refresh(refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .variables(variables.map(grafanaVariable))
    .links(links.map(dashboardLink));
  let top = 0;
  for (const row of rows) {
    const heading = new RowBuilder(row.title).id(row.id).gridPos({ x: 0, y: top, w: 24, h: 1 });
    if (row.repeatFor !== undefined) heading.repeat(row.repeatFor);
    builder.withRow(heading);
    for (const panel of row.panels) builder.withPanel({ build: () => grafanaPanel(panel, top + 1) });
    top += 1 + row.height;
  }
  return builder.build();
}

function dashboardLink({ uid, title }: DashboardRef): Builder<DashboardLink> {
  const { placement: _, ...link } = new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}`)
    .icon('dashboard')
    .includeVars(true)
    .keepTime(true)
    .build();
  // The SDK would hide it in a menu.
  return { build: () => link };
}
