/** The time of the loop below on the machine for which the limits of tests were set. */
const USUAL_MS = 12;

/** How many times slower than usual this machine is now, at least 1. For limits of CPU time and of starts. */
export function slowdown(): number {
  const began = performance.now();
  let sum = 0;
  for (let i = 0; i < 1e7; i++) sum = Math.imul(sum, 31) ^ i;
  if (Number.isNaN(sum)) throw new Error('the loop must not be optimized away');
  return Math.max(1, (performance.now() - began) / USUAL_MS);
}
