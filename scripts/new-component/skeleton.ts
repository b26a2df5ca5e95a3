import { readdirSync, readFileSync } from 'node:fs';
import type { ComponentNames } from './names.ts';

const TEMPLATES = new URL('templates/', import.meta.url);

/** The files of a new component, by name: the templates of its kind and those for every kind. */
export function skeleton(names: ComponentNames): Record<string, string> {
  const folders = ['component/', `${names.kind}/`].map((folder) => new URL(folder, TEMPLATES));
  const files = folders.flatMap((folder) => readdirSync(folder).map((file) => new URL(file, folder)));
  return Object.fromEntries(
    files.map((file) => [
      file.pathname
        .split('/')
        .at(-1)
        ?.replace(/\.txt$/, '') ?? '',
      fill(readFileSync(file, 'utf8'), names),
    ]),
  );
}

function fill(template: string, names: ComponentNames): string {
  const values = new Map<string, string>(Object.entries(names));
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => values.get(key) ?? '');
}
