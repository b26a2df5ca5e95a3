/** Panels for the plugins that are part of Grafana. */
import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BarAlignment,
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { DashboardLinkBuilder, DashboardLinkType, type Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type {
  DashboardRef,
  BarsModel,
  HistogramModel,
  GraphModel,
  PanelModel,
  QueryModel,
  StatModel,
} from '../model/dashboard-model.ts';
import { POINTS_A_COLUMN } from '../model/layout.ts';
import { aboutPanel } from '../model/panel.ts';
import { countedThings, isSpoken } from '../model/unit.ts';
import { byThreshold, fixedColor, paletteColor, thresholdsOf, toneColors } from './colors.ts';
import { datasourceRef } from './datasource.ts';
import { tablePanel } from './table.ts';
import { grafanaUnit, panelUnit } from './unit.ts';

/** @param top Where the row of the panel begins, below its title. */
export function grafanaPanel(panel: PanelModel, top: number): Panel {
  const { id, title, place, empty, leadsTo } = panel;
  const builder = builderOf(panel);
  builder
    .id(id)
    .title(title)
    .description(aboutPanel(panel))
    .datasource(datasourceRef)
    .gridPos({ x: place.x, y: top + place.y, w: place.width, h: place.height })
    .noValue(empty.text)
    .targets([...panel.queries.map((query) => target(query, panel)), ...exemplarTargets(panel)]);
  if (leadsTo !== undefined) builder.links([linkTo(leadsTo)]);
  return builder.build();
}

type AnyBuilder = TimeSeriesBuilder | StatBuilder | BarGaugeBuilder | ReturnType<typeof tablePanel>;

function builderOf(panel: PanelModel): AnyBuilder {
  switch (panel.form) {
    case 'graph':
      return graph(panel);
    case 'stat':
      return stat(panel);
    case 'bars':
      return bars(panel);
    case 'histogram':
      return histogram(panel);
    case 'table':
      return tablePanel(panel);
  }
}

function graph(panel: GraphModel): TimeSeriesBuilder {
  const { thresholds, draw, stacked, minStep } = panel;
  const unit = panelUnit(panel);
  const things = countedThings(unit);
  const asBars = draw === 'bars';
  const builder = new TimeSeriesBuilder()
    .unit(isSpoken(unit) ? 'short' : grafanaUnit(unit))
    .drawStyle(asBars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .barAlignment(BarAlignment.Before)
    .lineWidth(asBars ? 0 : 1)
    .fillOpacity(asBars ? 80 : stacked ? 30 : 8)
    .showPoints(asBars ? VisibilityMode.Never : VisibilityMode.Auto)
    .spanNulls(false)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .legend(legendOf(panel))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .colorScheme(paletteColor());
  if (thresholds !== undefined) {
    builder
      .thresholds(thresholdsOf(thresholds))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  // Without a limit, each bar of a long range is one pixel wide, and the query is slow.
  if (asBars) builder.maxDataPoints(panel.place.width * POINTS_A_COLUMN);
  if (minStep !== undefined) builder.interval(minStep);
  if (things !== undefined) builder.axisLabel(things);
  return withoutZeros(named(withTones(bounded(builder, panel), panel), panel), panel);
}

function withoutZeros(builder: TimeSeriesBuilder, { stacked }: GraphModel): TimeSeriesBuilder {
  return stacked ? builder.withOverride({ matcher: ALWAYS_ZERO, properties: NOT_IN_TOOLTIP }) : builder;
}

/** In columns: a table fits. */
const WIDE = 8;

/** The total of events, and the last value of a line. */
function legendOf({ draw, place }: GraphModel): VizLegendOptionsBuilder {
  const asBars = draw === 'bars';
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(place.width >= WIDE ? LegendDisplayMode.Table : LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .calcs(asBars ? ['sum', 'max'] : ['lastNotNull', 'max'])
    .sortBy(asBars ? 'Total' : 'Max')
    .sortDesc(true);
}

/** Parts of a whole that are always 0. Hidden from the legend, Grafana would no longer let readers select the others there. */
const ALWAYS_ZERO = { id: 'byValue', options: { reducer: 'max', op: 'lte', value: 0 } };
const NOT_IN_TOOLTIP = [{ id: 'custom.hideFrom', value: { viz: false, legend: false, tooltip: true } }];

function named<B extends TimeSeriesBuilder | BarGaugeBuilder>(builder: B, { names }: PanelModel): B {
  for (const [code, name] of Object.entries(names)) {
    builder.overrideByName(code, [{ id: 'displayName', value: name }]);
  }
  return builder;
}

function stat(panel: StatModel): StatBuilder {
  const { thresholds, queries } = panel;
  const hasNames = queries.length > 1 || queries.some(({ legend }) => legend.includes('{{'));
  const builder = new StatBuilder()
    .unit(grafanaUnit(panelUnit(panel)))
    .reduceOptions(latestValue())
    .graphMode(BigValueGraphMode.None)
    .colorMode(thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .textMode(hasNames ? BigValueTextMode.ValueAndName : BigValueTextMode.Value);
  if (thresholds !== undefined) builder.thresholds(thresholdsOf(thresholds)).colorScheme(byThreshold());
  return bounded(builder, panel);
}

function bars(panel: BarsModel): BarGaugeBuilder {
  const { thresholds } = panel;
  const builder = barGauge(panel).orientation(VizOrientation.Horizontal);
  if (thresholds === undefined) builder.colorScheme(fixedColor('neutral'));
  else builder.thresholds(thresholdsOf(thresholds)).colorScheme(byThreshold());
  return named(withTones(bounded(builder, panel), panel), panel);
}

function histogram(panel: HistogramModel): BarGaugeBuilder {
  return barGauge(panel).orientation(VizOrientation.Vertical).colorScheme(fixedColor('neutral')).min(0);
}

function barGauge(panel: PanelModel): BarGaugeBuilder {
  return new BarGaugeBuilder()
    .unit(grafanaUnit(panelUnit(panel)))
    .reduceOptions(latestValue())
    .displayMode(BarGaugeDisplayMode.Basic)
    .valueMode(BarGaugeValueMode.Text)
    .showUnfilled(true);
}

function latestValue(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().values(false).calcs(['lastNotNull']).fields('');
}

interface Bounded {
  min(min: number): unknown;
  max(max: number): unknown;
}

function bounded<B extends Bounded>(builder: B, { min, max }: GraphModel | StatModel | BarsModel): B {
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  return builder;
}

function withTones<B extends TimeSeriesBuilder | BarGaugeBuilder>(builder: B, { tones }: GraphModel | BarsModel): B {
  for (const [name, tone] of Object.entries(tones)) {
    builder.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: toneColors[tone] } }]);
  }
  return builder;
}

function target(query: QueryModel, { form }: PanelModel): Builder<ReturnType<DataqueryBuilder['build']>> {
  const formats = { table: PromQueryFormat.Table, histogram: PromQueryFormat.Heatmap };
  const builder = new DataqueryBuilder()
    .refId(query.refId)
    .datasource(datasourceRef)
    .expr(query.expression)
    .legendFormat(query.legend)
    .exemplar(query.exemplars === query.expression)
    .format(form === 'table' || form === 'histogram' ? formats[form] : PromQueryFormat.TimeSeries);
  return query.instant ? builder.instant() : builder.range();
}

/** A panel asks for the traces of one metric. Its query has no series, only exemplars. */
function exemplarTargets({ queries }: PanelModel): Builder<ReturnType<DataqueryBuilder['build']>>[] {
  const separate = queries.find(({ exemplars, expression }) => exemplars !== undefined && exemplars !== expression);
  if (separate?.exemplars === undefined) return [];
  return [
    new DataqueryBuilder()
      .refId('Traces')
      .datasource(datasourceRef)
      .expr(separate.exemplars)
      .legendFormat('traces')
      .exemplar(true)
      .format(PromQueryFormat.TimeSeries)
      .range(),
  ];
}

/** The link keeps the time and whatever variables the other dashboard has as well. */
function linkTo({ uid, title }: DashboardRef): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}?\${__url_time_range}&\${__all_variables}`);
}
