import type { Pack, PollQuery } from '../query.ts';

/** What each query of a pack needs of its tables. */
export function queryNeeds({
  queries,
  exactQueries,
}: Pick<Pack, 'queries' | 'exactQueries'>): Readonly<Record<string, Pick<PollQuery, 'needs' | 'uses'>>> {
  return { ...queries, ...exactQueries };
}

/** The tables that a pack asks, or makes use of. */
export function tablesOf(pack: Pick<Pack, 'queries' | 'exactQueries'>): string[] {
  const columns = Object.values(queryNeeds(pack)).flatMap(({ needs, uses = {} }) => [needs, uses]);
  return [...new Set(columns.flatMap((byTable) => Object.keys(byTable)))];
}
