/** What the handlers of all frameworks throw. */
export function fail() {
  return new RangeError('no coffee', { cause: new Error('no beans') });
}

fail.throw = () => {
  throw fail();
};
