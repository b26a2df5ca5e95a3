/** Contexts that cost a request little memory. */
import { ROOT_CONTEXT, type Context } from '@opentelemetry/api';

/**
 * Has few values, and no closures and no map of its own. Those of the API outlive each collection of the young generation, with
 * the span of their request: docs/decisions/0046-flat-contexts.md.
 */
class FlatContext implements Context {
  readonly #keys: readonly symbol[];
  readonly #values: readonly unknown[];

  constructor(keys: readonly symbol[], values: readonly unknown[]) {
    this.#keys = keys;
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return this.#values[this.#keys.indexOf(key)];
  }

  setValue(key: symbol, value: unknown): Context {
    const at = this.#keys.indexOf(key);
    if (at >= 0) return new FlatContext(this.#keys, this.#values.with(at, value));
    return new FlatContext([...this.#keys, key], [...this.#values, value]);
  }

  deleteValue(key: symbol): Context {
    const at = this.#keys.indexOf(key);
    return at < 0 ? this : new FlatContext(this.#keys.toSpliced(at, 1), this.#values.toSpliced(at, 1));
  }
}

/** All contexts derive from this one. */
export function useFlatContexts(): void {
  const empty = new FlatContext([], []);
  Object.assign(ROOT_CONTEXT, {
    setValue: (key: symbol, value: unknown) => empty.setValue(key, value),
    deleteValue: () => ROOT_CONTEXT,
  });
}
