import type { Pack, PollQuery } from './pack.ts';

/** What each query of a pack needs of its tables. */
export function queryNeeds({
  queries,
  exactQueries,
}: Pack): Readonly<Record<string, Pick<PollQuery, 'needs' | 'uses'>>> {
  return { ...queries, ...exactQueries };
}
