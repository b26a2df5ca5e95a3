/** Parts that several views of stored telemetry share. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Attributes } from '../../../engine/stored-telemetry.ts';
import { valueText } from '../../store-text.ts';

const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** In the time of the reader's clock. */
export function clockOf(unixNano: string): string {
  return CLOCK.format(Number(BigInt(unixNano) / 1_000_000n));
}

const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

export function momentOf(unixNano: bigint): string {
  return MOMENT.format(Number(unixNano / 1_000_000n));
}

export function attributeTable(title: string, attributes: Attributes): TemplateResult | typeof nothing {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return nothing;
  return html`<section>
    ${title === '' ? nothing : html`<h4>${title}</h4>`}
    <dl>
      ${entries.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${valueText(value)}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}
