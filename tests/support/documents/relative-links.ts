import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The relative links of a Markdown document whose file or heading does not exist. */
export function brokenLinks(document: string): string[] {
  const text = withoutCode(readFileSync(document, 'utf8'));
  const targets = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      if (!existsSync(file)) return true;
      return heading !== undefined && file.endsWith('.md') && !headingsOf(file).includes(heading);
    });
}

/** Anchors as GitHub builds them. */
function headingsOf(file: string): string[] {
  const text = withoutCode(readFileSync(file, 'utf8'), /```[\s\S]*?```/g);
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(text: string, code = /```[\s\S]*?```|`[^`\n]*`(?!\]\()/g): string {
  return text.replaceAll(code, '');
}
