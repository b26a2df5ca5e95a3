/** The time range, up to now or between two times, and the refresh interval. */
import type { Span } from '../data-source.ts';
import { RANGES } from '../opening-time.ts';
import { between, spanOf, widened, type Time, type View } from '../view.ts';
import { withArrows } from './arrow-keys.ts';
import { element } from './element.ts';
import { opens, popoverOf } from './popover.ts';
import { selectOf, withValue } from './select.ts';
import { spanText } from './time-text.ts';

const REFRESHES = ['', '5s', '30s', '1m', '5m'];

export interface TimeControls {
  readonly view: View;
  readonly change: (view: View) => void;
  readonly askAgain: () => void;
  /** True if the page compares the traces of a time with others. */
  readonly showsChanges: boolean;
}

export function timeControls({
  view,
  change,
  askAgain,
  showsChanges,
}: TimeControls): readonly (HTMLElement | undefined)[] {
  const { time } = view;
  const show = (other: Time): void => change({ ...view, time: other });
  const again = buttonOf('ask-again', 'Ask again', askAgain);
  const asked = element('span', { class: 'asked', text: 'asking…' });
  if ('last' in time) {
    const refresh = selectOf({
      id: 'refresh',
      label: 'Every',
      description: 'Refresh interval of the page',
      ...withValue(REFRESHES, view.refresh ?? ''),
      choose: (value) => change({ ...view, refresh: value === '' ? undefined : value }),
    });
    return [timePicker(time, show), refresh, again, asked];
  }
  const wayBack = isZoomed() ? buttonOf('back', '← Back', () => history.back()) : undefined;
  const out = buttonOf('zoom-out', 'Zoom out', () => show(widened(time, Date.now() / 1000)));
  const changes = showsChanges
    ? element('a', { text: 'What changed?', attributes: { href: changesIn(spanOf(time, 0)) } })
    : undefined;
  return [timePicker(time, show), wayBack, out, changes, again, asked];
}

function changesIn({ fromS, toS }: Span): string {
  const [from, to] = [fromS, toS].map((second) => new Date(second * 1000).toISOString());
  return `/changes?${new URLSearchParams({ between: `${from},${to}` }).toString()}`;
}

/** The history state after a drag on a graph, for the way back. */
export const ZOOMED = { isZoomed: true };

function isZoomed(): boolean {
  return (history.state as typeof ZOOMED | null)?.isZoomed === true;
}

function timePicker(time: Time, show: (time: Time) => void): HTMLElement {
  const label = 'last' in time ? `Last ${time.last}` : spanText(time);
  const button = element('button', {
    text: label,
    attributes: { id: 'time', type: 'button', 'aria-haspopup': 'true' },
  });
  const presets = RANGES.map((range, index) => {
    const isNow = 'last' in time && time.last === range;
    const preset = element('button', {
      text: `Last ${range}`,
      attributes: { type: 'button', ...(isNow && { 'aria-current': 'true' }) },
    });
    preset.autofocus = index === 0;
    preset.addEventListener('click', () => show({ last: range }));
    return preset;
  });
  const list = element('div', { class: 'presets' }, ...presets);
  withArrows(list, presets);
  const popover = popoverOf('time', list, betweenForm(spanOf(time, Date.now() / 1000), show));
  opens(button, popover);
  return element('div', { class: 'chooser' }, button, popover);
}

function betweenForm({ fromS, toS }: Span, show: (time: Time) => void): HTMLElement {
  const from = momentInput('from', fromS);
  const to = momentInput('to', toS);
  const problem = element('p', { class: 'bad', attributes: { role: 'alert' } });
  const form = element(
    'form',
    {},
    element('label', { text: 'From' }, from),
    element('label', { text: 'To' }, to),
    element('button', { text: 'Show', attributes: { type: 'submit' } }),
    problem,
    element('p', { class: 'quiet', text: `Times of ${Intl.DateTimeFormat().resolvedOptions().timeZone}` }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const span = between(Date.parse(from.value) / 1000, Date.parse(to.value) / 1000);
    if (span !== undefined) return show(span);
    problem.textContent = 'From must be at least ten seconds before To.';
  });
  return form;
}

function momentInput(id: string, atS: number): HTMLInputElement {
  const input = element('input', { attributes: { id, type: 'datetime-local', step: '1', required: '' } });
  const local = new Date(atS * 1000);
  local.setMinutes(local.getMinutes() - local.getTimezoneOffset());
  input.value = local.toISOString().slice(0, 19);
  return input;
}

function buttonOf(id: string, text: string, act: () => void): HTMLElement {
  const button = element('button', { text, attributes: { id, type: 'button' } });
  button.addEventListener('click', act);
  return button;
}
