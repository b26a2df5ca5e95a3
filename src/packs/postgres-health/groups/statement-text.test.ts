import { assert, expect, it } from 'vitest';
import { statementText } from './statement-text.ts';

it.each([
  ['select * from orders where id = $1', 'select * from orders where id = $1'],
  ["alter role app\n  password 'se''cret'", 'alter role app password ?'],
  ["set x = E'a\\\\b', U&'d\\0061t', b'101', X'ff', N'a'", 'set x = ?, ?, ?, ?, ?'],
  ["select 'it\\'s secret', 'more secret'", 'select ? …'],
  ['do $body$ begin perform $$secret$$; end $body$', 'do ?'],
  ['select $$secret', 'select ?'],
  ["select 'open secret", 'select ?'],
  ['select 1, 1.5e-10, .5, 0xFF, 1_000, a1, $12, x.t2', 'select ?, ?, ?, ?, ?, a1, $12, x.t2'],
  ["select 1 -- traceparent='00-4bf9'\n from t", 'select ? from t'],
  ["/* a /* nested */ 'x */ select /* open", 'select'],
  ['select "Odd 1", "a""2" from "t', 'select "Odd 1", "a""2" from "t'],
  ["select größe2 from straße where ü = '😀'", 'select größe2 from straße where ü = ?'],
  ['', ''],
  [null, undefined],
])('%j becomes %j', (sql, text) => {
  expect(statementText(sql)).toBe(text);
});

it('is cut, also between the halves of a character', () => {
  const text = statementText(`select ${'"😀😀😀", '.repeat(100)}`);
  assert(text !== undefined);
  expect(Array.from(text).length).toBeLessThanOrEqual(100);
  expect(text).toMatch(/…$/);
  expect(text.isWellFormed()).toBe(true);
});
