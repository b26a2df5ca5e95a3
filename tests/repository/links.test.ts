import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { expect, it } from 'vitest';
import { filesBelow, readText, ROOT } from './source-files.ts';

const documents = filesBelow('.', /\.md$/);

it.each(documents.map((document) => [document]))('every relative link of %s has a target', (document) => {
  const targets = Array.from(withoutCode(readText(document)).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
  const broken = targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      if (!existsSync(ROOT + file)) return true;
      return heading !== undefined && file.endsWith('.md') && !headingsOf(file).includes(heading);
    });
  expect(broken).toEqual([]);
});

/** Anchors as GitHub builds them. */
function headingsOf(file: string): string[] {
  return Array.from(withoutCode(readText(file), /```[\s\S]*?```/g).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string, code = /```[\s\S]*?```|`[^`\n]*`(?!\]\()/g): string {
  return text.replaceAll(code, '');
}
