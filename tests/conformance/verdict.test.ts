import { expect, test } from 'vitest';
import type { ConformanceCase } from './conformance-case.ts';
import { inputHash } from './recording.ts';
import { judge, type Verdict } from './verdict.ts';

const STOCK = ['# TYPE a gauge', 'a 1', '# TYPE b gauge', 'b 2'];

interface Given {
  readonly one?: Partial<ConformanceCase>;
  readonly siphon?: readonly string[];
  readonly input?: string;
  readonly declaredIds?: readonly string[];
}

function verdict({ one = {}, siphon = STOCK, input, declaredIds = [] }: Given): Verdict {
  const conformanceCase: ConformanceCase = { name: 'x', requests: [], ...one };
  return judge({
    cases: [conformanceCase],
    recording: { x: { input: input ?? inputHash(conformanceCase), page: STOCK } },
    pages: new Map([['x', siphon]]),
    declaredIds: new Set(declaredIds),
  });
}

const differs = { id: 'd', page: ['a 3'] };

test.each<[what: string, given: Given]>([
  ['the same page', {}],
  ['the same families in another order', { siphon: STOCK.toSpliced(0, 2).concat(STOCK.slice(0, 2)) }],
  ['a difference that is declared', { one: { differs }, siphon: ['a 3'], declaredIds: ['d'] }],
])('%s is not a problem', (_, given) => {
  expect(verdict(given).problems).toEqual([]);
});

test.each<[what: string, given: Given, problem: string]>([
  ['another value', { siphon: STOCK.with(1, 'a 5') }, 'a 5'],
  ['a line that is missing', { siphon: STOCK.slice(0, 3) }, 'b 2'],
  ['a line that comes twice', { siphon: [...STOCK, 'b 2'] }, 'b 2'],
  ['a sample under another family', { siphon: ['# TYPE a gauge', 'a 1', 'b 2', '# TYPE b gauge'] }, 'a › b 2'],
  ['a changed input', { input: 'old' }, 'conformance:record'],
  ['a declared page that is another', { one: { differs }, siphon: ['a 4'], declaredIds: ['d'] }, 'a 4'],
  [
    'a declared page that is the stock one',
    { one: { differs: { id: 'd', page: STOCK } }, declaredIds: ['d'] },
    'declared to differ',
  ],
  ['a difference without its row', { one: { differs }, siphon: ['a 3'] }, 'no row d'],
  ['a row without its case', { declaredIds: ['e'] }, 'no case shows e'],
])('%s is a problem', (_, given, problem) => {
  expect(verdict(given).problems).toEqual([expect.stringContaining(problem)]);
});
