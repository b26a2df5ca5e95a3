/** A popover next to its button. Escape or a click elsewhere closes it and returns the focus. */
import { element } from './element.ts';

const WIDEST = 360;
const EDGE = 8;

export function popoverOf(className: string, ...content: readonly Node[]): HTMLElement {
  return element('div', { class: `popover ${className}`, attributes: { popover: 'auto' } }, ...content);
}

/** The button opens it, and closes it again. */
export function opens(button: HTMLButtonElement, popover: HTMLElement): void {
  button.popoverTargetElement = popover;
  button.setAttribute('aria-expanded', 'false');
  popover.addEventListener('beforetoggle', ({ newState }) => {
    button.setAttribute('aria-expanded', String(newState === 'open'));
    if (newState === 'open') putBeside(popover, button);
  });
}

/** Below it, or above where there is no room, and always within the window. */
export function putBeside(popover: HTMLElement, anchor: Element): void {
  const { left, top, bottom } = anchor.getBoundingClientRect();
  const width = Math.min(WIDEST, innerWidth - 2 * EDGE);
  const isBelow = innerHeight - bottom > Math.min(240, innerHeight / 2);
  const { style } = popover;
  style.maxWidth = `${width}px`;
  style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
  style.top = isBelow ? `${bottom + 4}px` : 'auto';
  style.bottom = isBelow ? 'auto' : `${innerHeight - top + 4}px`;
  style.maxHeight = `${(isBelow ? innerHeight - bottom : top) - 4 - EDGE}px`;
}
