import { html, type TemplateResult } from 'lit-html';
import { address, pushAddress } from '../address.ts';

export interface FilterField {
  /** The name of the parameter, in the address and in the query. */
  readonly name: string;
  readonly label: string;
  readonly placeholder?: string;
  /** True for a duration or a time. */
  readonly isShort?: boolean;
  /** A choice among these; otherwise any text. */
  readonly values?: readonly string[];
}

/** The filters of a list. They are parameters of the address, so that a list can be shared. */
export class Filters {
  readonly #fields: readonly FilterField[];
  readonly #changed: () => void;

  constructor(fields: readonly FilterField[], changed: () => void) {
    this.#fields = fields;
    this.#changed = changed;
  }

  get values(): Readonly<Record<string, string | undefined>> {
    const { searchParams } = address();
    return Object.fromEntries(this.#fields.map(({ name }) => [name, searchParams.get(name) ?? undefined]));
  }

  form(): TemplateResult {
    const { values } = this;
    return html`<form
      class="choices filters"
      role="search"
      @submit=${(event: Event) => event.preventDefault()}
      @change=${(event: Event) => this.#take(event)}
    >
      ${this.#fields.map(
        (field) => html`<label>${field.label} ${this.#input(field, values[field.name] ?? '')}</label>`,
      )}
    </form>`;
  }

  #input({ name, placeholder = '', isShort = false, values }: FilterField, value: string): TemplateResult {
    if (values === undefined) {
      return html`<input
        name=${name}
        class=${isShort ? 'short' : ''}
        .value=${value}
        placeholder=${placeholder}
        autocomplete="off"
        spellcheck="false"
      />`;
    }
    return html`<select name=${name}>
      ${['', ...values].map((one) => html`<option value=${one} ?selected=${one === value}>${one || 'any'}</option>`)}
    </select>`;
  }

  #take({ target }: Event): void {
    const { name, value } = target as HTMLInputElement;
    const { pathname, searchParams } = address();
    if (value === '') searchParams.delete(name);
    else searchParams.set(name, value.trim());
    pushAddress(`${pathname}?${searchParams.toString()}`);
    this.#changed();
  }
}
