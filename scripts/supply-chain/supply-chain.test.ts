import { describe, expect, it } from 'vitest';
import { advisoriesFor } from './advisories.ts';
import { billOfMaterials, type Part } from './bill-of-materials.ts';

const siphon = { name: 'siphon-otel', version: '1.0.0', license: 'Apache-2.0' };
const part: Part = { name: '@scope/part', version: '2.0.0', license: 'MIT', integrity: 'sha512-AAEC', isBundled: true };

describe('the bill of materials', () => {
  it('names every part with its version, licence and hash', () => {
    expect(billOfMaterials(siphon, [part])).toMatchObject({
      bomFormat: 'CycloneDX',
      components: [
        {
          purl: 'pkg:npm/%40scope/part@2.0.0',
          licenses: [{ expression: 'MIT' }],
          hashes: [{ alg: 'SHA-512', content: '000102' }],
        },
      ],
      dependencies: [{ ref: 'pkg:npm/siphon-otel@1.0.0', dependsOn: ['pkg:npm/%40scope/part@2.0.0'] }],
    });
  });

  it('refuses a part without a hash', () => {
    expect(() => billOfMaterials(siphon, [{ ...part, integrity: '' }])).toThrow('@scope/part has no integrity hash');
  });
});

describe('the audit', () => {
  const advisory = { title: 'Prototype pollution', url: 'https://example.org/1' };
  const report = {
    vulnerabilities: {
      pg: { severity: 'high', via: [advisory, 'pg-protocol'] },
      vite: { severity: 'high', via: [advisory] },
    },
  };

  it('lists the advisories of bundled packages and ignores tools', () => {
    expect(advisoriesFor(new Set(['pg', 'valibot']), report)).toEqual([
      'pg: high: Prototype pollution https://example.org/1',
    ]);
    expect(advisoriesFor(new Set(['valibot']), report)).toEqual([]);
  });

  it('distinguishes no advisory from no answer', () => {
    expect(advisoriesFor(new Set(['pg']), { message: 'audit endpoint returned an error' })).toBeUndefined();
  });
});
