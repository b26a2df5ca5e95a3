/** A package that is part of siphon, or that siphon declares as a dependency. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** The SPDX identifier or expression, as in its package.json. */
  readonly license: string;
  /** The hash in the lock file, for example `sha512-…`. */
  readonly integrity: string;
  /** True if its code is in the package of siphon: `npm audit` in a project that uses siphon does not see it. */
  readonly isBundled: boolean;
}

/** A bill of materials in CycloneDX 1.5. Without a time or a random number: equal parts give equal text. */
export function billOfMaterials(siphon: Pick<Part, 'name' | 'version' | 'license'>, parts: readonly Part[]): object {
  const sorted = parts.toSorted((a, b) => purlOf(a).localeCompare(purlOf(b)));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': purlOf(siphon), ...described(siphon) } },
    components: sorted.map((part) => ({
      type: 'library',
      'bom-ref': purlOf(part),
      ...described(part),
      hashes: [hashOf(part)],
      properties: [{ name: 'siphon:bundled', value: String(part.isBundled) }],
    })),
    dependencies: [{ ref: purlOf(siphon), dependsOn: sorted.map(purlOf) }],
  };
}

function described(part: Pick<Part, 'name' | 'version' | 'license'>): object {
  return {
    name: part.name,
    version: part.version,
    purl: purlOf(part),
    licenses: [{ expression: part.license }],
  };
}

function purlOf({ name, version }: Pick<Part, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function hashOf({ name, integrity }: Part): { readonly alg: string; readonly content: string } {
  const [, bits, base64] = /^sha(256|384|512)-(.+)$/.exec(integrity) ?? [];
  if (bits === undefined || base64 === undefined) throw new Error(`${name} has no integrity hash in package-lock.json`);
  return { alg: `SHA-${bits}`, content: Buffer.from(base64, 'base64').toString('hex') };
}
