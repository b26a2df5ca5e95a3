import { shownPart } from '../shown-part.ts';
import { withArrows } from './arrow-keys.ts';
import { element } from './element.ts';
import { leftOut } from './number-panels.ts';
import { opens, popoverOf } from './popover.ts';

export interface Picker {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly known: readonly string[];
  readonly chosen: readonly string[] | undefined;
  readonly choose: (chosen: readonly string[] | undefined) => void;
}

const MOST = 200;

/** Several of a list, or all; it takes effect when it is closed, unless by Escape. */
export function pickerOf({ id, label, description, known, chosen, choose }: Picker): HTMLElement {
  const { shown, left } = shownPart(known, MOST);
  const boxes = shown.map((value) => checkbox(value, chosen?.includes(value) ?? false));
  const inputs = boxes.map(({ input }) => input);
  const all = element('button', { text: 'All', attributes: { type: 'button' } });
  const list = known.length === 0 ? [element('em', { text: 'none known' })] : boxes.map(({ line }) => line);
  const rest = leftOut(left);
  const popover = popoverOf('picker', all, ...list, ...(rest === undefined ? [] : [rest]));
  const button = element(
    'button',
    { title: description, attributes: { id, type: 'button', 'aria-haspopup': 'true' } },
    element('span', { text: label }),
    element('b', { text: chosen?.join(', ') ?? 'All' }),
  );
  opens(button, popover);
  withArrows(popover, [all, ...inputs]);
  (inputs.find(({ checked }) => checked) ?? inputs[0] ?? all).autofocus = true;
  let isTakenBack = false;
  all.addEventListener('click', () => {
    for (const input of inputs) input.checked = false;
    popover.hidePopover();
  });
  popover.addEventListener('keydown', (event) => {
    const { key } = event;
    if (key === 'Escape') isTakenBack = true;
    if (key !== 'Enter' || document.activeElement === all) return;
    // Otherwise the button, which has the focus again, reopens it.
    event.preventDefault();
    popover.hidePopover();
  });
  popover.addEventListener('beforetoggle', ({ newState }) => {
    if (newState === 'open') return;
    const now = shown.filter((_, index) => inputs[index]?.checked === true);
    const isOther = now.join('\0') !== (chosen ?? []).join('\0');
    if (isOther && !isTakenBack) return choose(now.length === 0 ? undefined : now);
    for (const [index, value] of shown.entries()) {
      const input = inputs[index];
      if (input !== undefined) input.checked = chosen?.includes(value) ?? false;
    }
    isTakenBack = false;
  });
  return element('div', { class: 'chooser' }, button, popover);
}

function checkbox(value: string, isChecked: boolean): { line: HTMLElement; input: HTMLInputElement } {
  const input = element('input', { attributes: { type: 'checkbox' } });
  input.checked = isChecked;
  return { line: element('label', {}, input, element('span', { text: value })), input };
}
