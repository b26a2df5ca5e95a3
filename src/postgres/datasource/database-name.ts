import { SecretUrl, type Secret } from '../../engine/schema/secret.ts';
import { defaultsOf, hostsOf, keywordsOf } from './connection-targets.ts';
import { readKeywords, writeKeywords, type Keywords } from './keywords.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A label of every series; longer names are cut. */
const LONGEST = 120;

/**
 * Returns `host:port/database`, with all hosts, without user and password. The preload names the pools of services the same
 * way. Undefined if the datasource cannot be read: connecting reports the reason.
 */
export async function databaseName(
  datasource: Secret,
  environment: Environment = process.env,
): Promise<string | undefined> {
  const keywords = await keywordsOf(datasource, environment).catch(() => undefined);
  return keywords && nameOf({ host: 'localhost', ...defaultsOf(environment), ...keywords });
}

/** Without a database: its default is the user, which is a part of the credentials. */
function nameOf(keywords: Keywords): string {
  const servers = hostsOf(keywords).map(({ host, port }) => `${host}:${port || '5432'}`);
  const { dbname = '' } = keywords;
  return [servers.join(','), ...(dbname === '' ? [] : [dbname])].join('/').slice(0, LONGEST);
}

/** The same server and login, with another database. */
export function withDatabase(datasource: Secret, dbname: string): SecretUrl {
  return new SecretUrl(writeKeywords({ ...readKeywords(datasource.reveal()), dbname }));
}
