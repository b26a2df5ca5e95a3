/** Types of the snappy encoder that tests use. */
declare module 'snappyjs' {
  export function compress(input: Uint8Array): Uint8Array;
}
