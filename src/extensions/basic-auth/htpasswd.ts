import { createHash, timingSafeEqual } from 'node:crypto';
import { SecretDigest } from '../../collector/secret-digest.ts';

type Verifier = (password: string) => boolean;

/** The users of a file as Apache's `htpasswd` writes it. https://httpd.apache.org/docs/2.4/misc/password_encryptions.html */
export class Htpasswd {
  readonly #users: ReadonlyMap<string, Verifier>;

  /**
   * One `user:password` or `user:hash` a line. Of a user who is there twice, the first line counts.
   *
   * @throws Error that names the line, and nothing of what it holds.
   */
  constructor(text: string) {
    const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }));
    const entries = lines.filter(({ line }) => line !== '' && !line.startsWith('#')).map(parseLine);
    if (entries.length === 0) throw new Error('holds no user: write user:password, one a line');
    this.#users = new Map(entries.toReversed());
  }

  verify(user: string, password: string): boolean {
    return (this.#users.get(user) ?? nobody)(password);
  }
}

const SHA1_BYTES = 20;

function parseLine({ line, number }: { line: string; number: number }): [string, Verifier] {
  const colon = line.indexOf(':');
  if (colon < 1 || colon === line.length - 1) throw new Error(`line ${number} is not user:password`);
  const password = line.slice(colon + 1);
  return [line.slice(0, colon), verifierOf(password, number)];
}

function verifierOf(password: string, number: number): Verifier {
  if (/^\$(?:2[abxy]?|apr1|1|5|6)\$/.test(password)) {
    throw new Error(
      `line ${number} has a bcrypt, MD5 or crypt hash, which cannot be checked: use {SHA}, {SSHA} or plain text`,
    );
  }
  const sha = /^\{(SHA|SSHA)\}(.*)$/.exec(password);
  if (sha === null) {
    const digest = new SecretDigest(password);
    return (given) => digest.matches(given);
  }
  const bytes = Buffer.from(sha[2] ?? '', 'base64');
  if (bytes.length < SHA1_BYTES || (sha[1] === 'SHA' && bytes.length > SHA1_BYTES)) {
    throw new Error(`line ${number} has a broken {${sha[1]}} hash`);
  }
  return verifySha1(bytes.subarray(0, SHA1_BYTES), bytes.subarray(SHA1_BYTES));
}

function verifySha1(expected: Uint8Array, salt: Uint8Array): Verifier {
  return (given) => timingSafeEqual(createHash('sha1').update(given).update(salt).digest(), expected);
}

const nobodysPassword = new SecretDigest('');

/** Takes as long as a user does who is there, so that the names of users cannot be found out. */
function nobody(password: string): boolean {
  nobodysPassword.matches(password);
  return false;
}
