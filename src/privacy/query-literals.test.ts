import { describe, expect, it } from 'vitest';
import { withoutLiterals } from './query-literals.ts';

describe('withoutLiterals', () => {
  it.each([
    ['select 1', 'select ?'],
    ["select * from t where a = 'it''s' and b = 2.5e-3", 'select * from t where a = ? and b = ?'],
    ['select "Name 1" from t1 where c2 = $1 and d = :id', 'select "Name 1" from t1 where c2 = $1 and d = :id'],
    ["select E'a\\'b', x'ff', $$secret$$, $q$it's$q$", 'select ?, x?, ?, ?'],
    ["select a -- by 'me'\nfrom t /* 42 */ where b=0xff", 'select a  \nfrom t   where b=?'.replace('  \n', '  \n')],
    ['select $1::int, col1, a.b3 limit 10', 'select $1::int, col1, a.b3 limit ?'],
    ["select 'never closed", 'select ?'],
    ['select 1 /* a /* secret */ b secret */ + 2', 'select ?   + ?'],
    ["select a#b, c #> '{x}', d #>> '{y}', e->>'f'", 'select a#b, c #> ?, d #>> ?, e->>?'],
    ['/* c */ set local my.var = secret', '  set local my.var = ?'],
    ['begin; SET "my".var TO secret, "secret;"; select 1', 'begin; SET "my".var TO ?; select ?'],
    ['update t set a = b where c = d', 'update t set a = b where c = d'],
    ['insert into t values (1,-2,.5)', 'insert into t values (?,-?,?)'],
  ])('of %s', (query, expected) => {
    expect(withoutLiterals(query, 'postgresql')).toBe(expected);
  });

  it('takes double quotes for texts where the database does', () => {
    expect(withoutLiterals('select * from `a b` where c = "secret"', 'mysql')).toBe('select * from `a b` where c = ?');
    expect(withoutLiterals(String.raw`select 'it\'s', "a\\", b, 'c\\'`, 'mysql')).toBe('select ?, ?, b, ?');
    expect(withoutLiterals(String.raw`{"name":"a\"secret"}`, 'mongodb')).toBe('{?:?}');
    expect(withoutLiterals('{"find":"users","filter":{"age":42}}', 'mongodb')).toBe('{?:?,?:{?:?}}');
  });

  it('knows the comments of MySQL', () => {
    expect(withoutLiterals('select a # secret\nfrom t /* /* x */ where b', 'mysql')).toBe(
      'select a  \nfrom t   where b',
    );
  });

  it.each(['set ', ';set a', 'set a=";', '; ', '$a$', "'", '/*', '"', "E'\\", '`', '$', '--', '/**', '1e', '$$'])(
    'takes linear time for many %s',
    (text) => {
      const begun = performance.now();
      withoutLiterals(text.repeat(60_000), 'postgresql');
      expect(performance.now() - begun).toBeLessThan(500);
    },
  );
});
