/** Exemplars on a graph. Each is a button that shows its trace. */
import type uPlot from 'uplot';
import type { GraphModel } from '../../dashboards/model/dashboard-model.ts';
import type { Exemplar } from '../data-source.ts';
import { traceIdOf, type TraceLink } from '../trace.ts';
import { textOf } from '../unit-text.ts';
import { oneTabStop } from './arrow-keys.ts';
import { element } from './element.ts';
import { popoverOf, putBeside } from './popover.ts';
import { momentText } from './time-text.ts';

export interface ExemplarDots {
  readonly element: HTMLElement;
  /** Where the graph has drawn. */
  place(plot: uPlot): void;
}

export function exemplarDots(
  exemplars: readonly Exemplar[],
  { panel, traceLink }: { readonly panel: GraphModel; readonly traceLink: (traceId: string) => TraceLink | undefined },
): ExemplarDots {
  const query = panel.queries.find((one) => one.exemplars);
  const { observedUnit } = query ?? {};
  const isOfGraph = observedUnit !== undefined && query?.unit === observedUnit;
  const tip = popoverOf('tip');
  const dots = exemplars.map((exemplar) => {
    const name = `Trace at ${momentText(exemplar.timeS)}`;
    const dot = element('button', { class: 'exemplar', attributes: { type: 'button', 'aria-label': name } });
    const show = (): void => {
      tip.replaceChildren(...tipOf(exemplar, { unit: observedUnit, traceLink }));
      putBeside(tip, dot);
      tip.showPopover();
    };
    dot.addEventListener('click', show);
    dot.addEventListener('pointerenter', ({ pointerType }) => pointerType === 'mouse' && show());
    return dot;
  });
  const group = element(
    'div',
    { class: 'exemplars', attributes: { role: 'group', 'aria-label': `Traces of ${panel.title}` } },
    ...dots,
    tip,
  );
  oneTabStop(group, dots);
  return {
    element: group,
    place: (plot) => {
      // An exemplar with another unit than the graph has a time, but no height.
      const [low, high] = [plot.scales['y']?.min ?? 0, plot.scales['y']?.max ?? 1];
      for (const [index, { timeS, value }] of exemplars.entries()) {
        const style = dots[index]?.style;
        if (style === undefined) continue;
        const height = isOfGraph ? Math.min(high, Math.max(low, value)) : low;
        style.left = `${plot.valToPos(timeS, 'x') + plot.over.offsetLeft}px`;
        style.top = `${plot.valToPos(height, 'y') + plot.over.offsetTop}px`;
      }
    },
  };
}

function tipOf(
  { labels, timeS, value }: Exemplar,
  {
    unit,
    traceLink,
  }: { readonly unit: string | undefined; readonly traceLink: (traceId: string) => TraceLink | undefined },
): readonly HTMLElement[] {
  const traceId = traceIdOf(labels) ?? '';
  const trace = element('code', { text: traceId });
  const link = traceLink(traceId);
  const outside = link?.isOutside === true ? { target: '_blank', rel: 'noreferrer' } : {};
  return [
    element('p', {}, element('b', { text: textOf(value, unit ?? '') }), ` at ${momentText(timeS)}`),
    element('p', {}, 'trace ', trace),
    link === undefined
      ? element('p', { class: 'quiet', text: 'Start the page with --sentry URL to go to the trace from here.' })
      : element('a', { text: link.text, attributes: { href: link.href, ...outside } }),
  ];
}
