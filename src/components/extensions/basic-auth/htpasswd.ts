import { createHash, timingSafeEqual } from 'node:crypto';
import type { SlowHashes } from './slow-hashes.ts';
import { SecretDigest } from '../../../engine/secret-digest.ts';

/** Synchronous, or a promise if the check takes long. */
type Verdict = boolean | Promise<boolean>;
type Verifier = (password: string) => Verdict;

/** Compares passwords with slow hashes. `matchesNone` is for names without a user: false, after the same time. */
export type SlowComparison = Pick<SlowHashes, 'matches' | 'matchesNone'>;

const noComparison: SlowComparison = {
  matches: () => Promise.resolve(false),
  matchesNone: () => Promise.resolve(false),
};

/** The users of a file in the format of Apache's `htpasswd`. https://httpd.apache.org/docs/2.4/misc/password_encryptions.html */
export class Htpasswd {
  readonly #users: ReadonlyMap<string, Verifier>;
  readonly #nobody: Verifier;

  /**
   * One `user:password` or `user:hash` in each line. If a user appears twice, the first line counts.
   *
   * @throws Error with the number of the line, but not its content.
   */
  constructor(text: string, slow: SlowComparison = noComparison) {
    const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }));
    const entries = lines.filter(({ line }) => line !== '' && !line.startsWith('#')).map(parseLine);
    if (entries.length === 0) throw new Error('holds no user: write user:password, one a line');
    this.#users = new Map(entries.toReversed().map(({ user, stored }) => [user, verifierOf(stored, slow)]));
    const hash = entries.find(({ stored }) => stored.kind === 'slow')?.stored.text;
    this.#nobody = hash === undefined ? nobody : (password) => slow.matchesNone(password, hash);
  }

  verify(user: string, password: string): Verdict {
    return (this.#users.get(user) ?? this.#nobody)(password);
  }
}

interface Stored {
  readonly kind: 'plain' | 'sha1' | 'slow';
  readonly text: string;
}

function parseLine({ line, number }: { line: string; number: number }): { user: string; stored: Stored } {
  const colon = line.indexOf(':');
  if (colon < 1 || colon === line.length - 1) throw new Error(`line ${number} is not user:password`);
  return { user: line.slice(0, colon), stored: parseStored(line.slice(colon + 1), number) };
}

const SHA1_BYTES = 20;
const SLOW = /^\$(?:2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}|(?:apr1|1)\$[^$]{0,8}\$[./A-Za-z0-9]{22})$/;

function parseStored(text: string, number: number): Stored {
  if (SLOW.test(text)) return { kind: 'slow', text };
  if (/^\$(?:2[abxy]?|apr1|1|5|6)\$/.test(text)) {
    throw new Error(`line ${number} contains a broken or unsupported hash: use bcrypt, {SHA}, {SSHA} or plain text`);
  }
  const sha = /^\{(SHA|SSHA)\}(.*)$/.exec(text);
  if (sha === null) return { kind: 'plain', text };
  const { length } = Buffer.from(sha[2] ?? '', 'base64');
  if (length < SHA1_BYTES || (sha[1] === 'SHA' && length > SHA1_BYTES)) {
    throw new Error(`line ${number} contains a broken {${sha[1]}} hash`);
  }
  return { kind: 'sha1', text: sha[2] ?? '' };
}

function verifierOf({ kind, text }: Stored, slow: SlowComparison): Verifier {
  if (kind === 'slow') return verifySlowly(text, slow);
  if (kind === 'sha1') return verifySha1(Buffer.from(text, 'base64'));
  const digest = new SecretDigest(text);
  return (given) => digest.matches(given);
}

function verifySha1(bytes: Buffer): Verifier {
  const [expected, salt] = [bytes.subarray(0, SHA1_BYTES), bytes.subarray(SHA1_BYTES)];
  return (given) => timingSafeEqual(createHash('sha1').update(given).update(salt).digest(), expected);
}

/** Keeps the digest of a password that was right, so that later requests with it are cheap. */
function verifySlowly(hash: string, slow: SlowComparison): Verifier {
  let known: SecretDigest | undefined;
  let underWay: { readonly digest: SecretDigest; readonly verdict: Promise<boolean> } | undefined;
  return (given) => {
    if (known?.matches(given) === true) return true;
    if (underWay?.digest.matches(given) === true) return underWay.verdict;
    const digest = new SecretDigest(given);
    const check = async (): Promise<boolean> => {
      try {
        const matches = await slow.matches(given, hash);
        if (matches) known = digest;
        return matches;
      } finally {
        if (underWay?.digest === digest) underWay = undefined;
      }
    };
    const verdict = check();
    underWay = { digest, verdict };
    return verdict;
  };
}

const nobodysPassword = new SecretDigest('');

/** Takes as long as the check of an existing user, so that response times do not reveal user names. */
function nobody(password: string): boolean {
  nobodysPassword.matches(password);
  return false;
}
