import { readFileSync } from 'node:fs';
import type { PageSettings } from './page-settings.ts';

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

export const INDEX = '/index.html';

/** The files of the page by their path. @param folder with the page, which the build writes. */
export function pageFiles(folder: URL, settings: PageSettings): ReadonlyMap<string, PageFile> {
  const file = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
  return new Map([
    [INDEX, { type: 'text/html', text: file('index.html') }],
    ['/console.css', { type: 'text/css', text: file('console.css') }],
    ['/console.js', { type: 'text/javascript', text: file('console.js') }],
    ['/record.js', { type: 'text/javascript', text: file('record.js') }],
    ['/incident.html', { type: 'text/html', text: file('incident.html') }],
    ['/settings.json', { type: 'application/json', text: JSON.stringify(settings) }],
  ]);
}
