import { expect, it } from 'vitest';
import { columnsOf, numberSql, parseExpression } from './expression.ts';

it.each([
  ['total / 100', ['total'], '(entry."total" * 1.0 / nullif(100, 0))'],
  ['ended_at - started_at', ['ended_at', 'started_at'], '(entry."ended_at" - entry."started_at")'],
  ['a - b - c * -2', ['a', 'b', 'c'], '((entry."a" - entry."b") - (entry."c" * (- 2)))'],
  ['(a + b) * 1.5', ['a', 'b'], '((entry."a" + entry."b") * 1.5)'],
  ['coalesce("Net ""x""", größe)', ['Net "x"', 'größe'], 'coalesce(entry."Net ""x""", entry."größe")'],
  ['a -- b', ['a', 'b'], '(entry."a" - (- entry."b"))'],
  [' abs( now ) ', ['now'], 'abs(entry."now")'],
])('%s is written with quoted columns', (text, columns, sql) => {
  const expression = parseExpression(text);
  expect(columnsOf(expression)).toEqual(columns);
  expect(numberSql(expression)).toContain(`else (${sql})::text`);
});

it.each([
  ['', /ends where a column/],
  ['a +', /ends where a column/],
  ['a b', /complete before b/],
  ['* a', /has \* where/],
  ['(a', /closing parenthesis/],
  ['a)', /complete before \)/],
  ['a; drop table x', /does not at: ;/],
  [`a || 'x'`, /does not at: \|\|/],
  ['a /* b */', /has \* where/],
  ['a::text', /does not at: ::text/],
  ['a.b', /does not at: \.b/],
  ['1e5', /does not at: 1e5/],
  ['1.2.3', /does not at: 1\.2\.3/],
  ['$1', /does not at: \$1/],
  ['""', /does not at: ""/],
  ['(select 1)', /closing parenthesis/],
  ['pg_sleep(5)', /may not call pg_sleep: the functions are abs/],
  ['constructor(a)', /may not call constructor/],
  ['"abs"(a)', /complete before \(/],
  ['round(a, 2)', /round with 2 values: it takes 1/],
  ['coalesce(a)', /coalesce with 1 values: it takes 2 to 9/],
  [`${'('.repeat(51)}a${')'.repeat(51)}`, /deeper than 50/],
  [`${'-'.repeat(51)}a`, /deeper than 50/],
  ['a + '.repeat(300), /at most 1000 characters/],
])('%s is refused', (text, message) => {
  expect(() => columnsOf(parseExpression(text))).toThrow(message);
});
