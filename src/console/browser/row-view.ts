/** A collapsible row of panels. Panels of a collapsed row are not queried. */
import type { PanelModel } from '../../dashboards/model/dashboard-model.ts';
import type { RepeatedRow } from '../repeat.ts';
import { element } from './element.ts';
import { PanelView, type PanelContext } from './panel-view.ts';

export interface RowView {
  readonly element: HTMLElement;
  readonly panels: readonly PanelView[];
  ask(): Promise<void>;
  end(): void;
}

export function rowView(
  { row, title, isOpen }: RepeatedRow,
  { context, ask }: { readonly context: PanelContext; readonly ask: (panels: readonly PanelView[]) => Promise<void> },
): RowView {
  const lines = linesOf(row.panels).map((panels) => ({
    isGraph: panels.some(({ form }) => form === 'graph' || form === 'histogram'),
    height: Math.max(...panels.map(({ place }) => place.height)),
    views: panels.map((panel) => new PanelView(panel, context)),
  }));
  const panels = lines.flatMap(({ views }) => views);
  const details = element(
    'details',
    { class: 'row' },
    element('summary', {}, element('h2', { text: title })),
    ...lines.map(({ isGraph, height, views }) => {
      const line = element('div', { class: isGraph ? 'line' : 'line loose' }, ...views.map((view) => view.element));
      line.style.setProperty('--h', String(height));
      return line;
    }),
  );
  details.open = isOpen;
  details.addEventListener('toggle', () => {
    const isUnasked = panels.some((panel) => panel.element.dataset['state'] === 'loading');
    if (details.open && isUnasked) void ask(panels);
  });
  return {
    element: details,
    panels,
    ask: async () => {
      if (details.open) await ask(panels);
    },
    end: () => {
      for (const panel of panels) panel.end();
    },
  };
}

/** The panels that are next to each other. */
function linesOf(panels: readonly PanelModel[]): readonly (readonly PanelModel[])[] {
  return [...Map.groupBy(panels, ({ place }) => place.y).values()];
}
