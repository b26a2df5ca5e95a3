import { expect, it } from 'vitest';
import { slowdown } from '../../tests/support/slowdown.ts';
import { sqlVerb } from './sql-verb.ts';

it.each([
  ['select 1', 'SELECT'],
  ["select\n'literal-secret@example.com'\nas\nc", 'SELECT'],
  ['\n    update t set a = 1', 'UPDATE'],
  ['-- name: GetUser :one\nselect 1', 'SELECT'],
  ['/* a /* nested */ comment */ delete from t', 'DELETE'],
  ['((select 1) union (select 2))', 'SELECT'],
  ['BEGIN;', 'BEGIN'],
  [';;commit', 'COMMIT'],
  ['with a as (select 1), "select" as (select \')\') insert into t select * from a', 'INSERT'],
  ['(with recursive a as materialized (select $x$ ( $x$) -- (\n update t set b = 1)', 'UPDATE'],
  ['with a as (select 1)', undefined],
  ["'secret'", undefined],
  ['secret', undefined],
  ['toString', undefined],
  ['', undefined],
  ['/* open', undefined],
])('finds the command of %j', (text, verb) => {
  expect(sqlVerb(text)).toBe(verb);
});

it.each(['(', '/*', "'", '$$', 'with (', '-- '])('takes little time for a megabyte of %j', (part) => {
  const text = part.repeat(1_000_000 / part.length);
  const startedAtMs = performance.now();
  sqlVerb(text);
  expect(performance.now() - startedAtMs).toBeLessThan(50 * slowdown());
});
