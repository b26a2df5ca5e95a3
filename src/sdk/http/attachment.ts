/** Returns what it is given as `this` of the class that extends it. */
const Given = function given(object: object): object {
  return object;
} as unknown as new (object: object) => object;

export interface Attachment<Value> {
  /** At most once for each object. */
  add(object: object, value: Value): void;
  readonly of: (object: object) => Value | undefined;
}

/**
 * Keeps a value at an object as a private field, so that nothing else sees it. A WeakMap does the same for a
 * microsecond more, and what it keeps outlives the request until the next collection of the whole heap.
 */
export function attachment<Value>(): Attachment<Value> {
  class Holder extends Given {
    #value: Value;

    constructor(object: object, value: Value) {
      super(object);
      this.#value = value;
    }

    static of(this: void, object: object): Value | undefined {
      return #value in object ? object.#value : undefined;
    }
  }
  return { add: (object, value) => void new Holder(object, value), of: Holder.of };
}
