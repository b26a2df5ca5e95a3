import { html, type TemplateResult } from 'lit-html';

/** A view without content: why it is empty, or that it waits. */
export function message(state: 'loading' | 'unknown' | 'error', text: string): TemplateResult {
  return html`<p class="note ${state}" role="status">${text}</p>`;
}
