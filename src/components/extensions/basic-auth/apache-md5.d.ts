/** The package's own types are where the compiler does not look for them. */
declare module 'apache-md5' {
  /** The hash of a password, given as bytes in latin1, with the salt and the kind of another hash. */
  export default function md5(password: string, hash: string): string;
}
