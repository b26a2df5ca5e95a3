/** Checked before anything else is loaded, because an older Node fails somewhere in the middle. */
import manifest from '../../package.json' with { type: 'json' };

/** @throws Error when this version of Node.js is older than `engines` in package.json allows. */
export function assertSupportedNode(version: string): void {
  const oldest = manifest.engines.node.replace('>=', '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(`siphon needs Node.js ${oldest} or newer; this is ${version}`);
}
