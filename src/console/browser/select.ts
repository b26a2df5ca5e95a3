import { element } from './element.ts';

export interface Select {
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly choose: (value: string) => void;
}

/** One of a list; the empty one turns it off. */
export function selectOf({ id, label, description, values, value, choose }: Select): HTMLElement {
  const options = values.map((one) =>
    element('option', { text: one === '' ? 'off' : one, attributes: { value: one } }),
  );
  const select = element('select', { attributes: { id } }, ...options);
  select.value = value;
  select.addEventListener('change', () => choose(select.value));
  return element('label', description === undefined ? {} : { title: description }, `${label} `, select);
}

/** Adds the value of the address if the list does not contain it. */
export function withValue(values: readonly string[], value: string): Pick<Select, 'values' | 'value'> {
  return { values: values.includes(value) ? values : [...values, value], value };
}
