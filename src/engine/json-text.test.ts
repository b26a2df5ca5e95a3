import { expect, it } from 'vitest';
import { jsonText } from './json-text.ts';

it('escapes characters in JSON that a terminal would act on', () => {
  const value = { body: 'a\u007F\u009B31m\u202Eb\u2028\u{E0001}é"\n' };
  const text = jsonText(value);
  expect(text).toBe(String.raw`{"body":"a\u007f\u009b31m\u202eb\u2028\udb40\udc01é\"\n"}`);
  expect(JSON.parse(text)).toEqual(value);
});
