/** The address of the shown view: that of the page, or behind the `#` in a file, which has no other addresses. */

const IS_FILE = location.protocol === 'file:';

/** Its path and parameters. */
export function address(): URL {
  return IS_FILE ? new URL(location.hash.slice(1) || '/', 'http://file.invalid') : new URL(location.href);
}

/** Shows another address without opening it. @param to a path with parameters. */
export function pushAddress(to: string, state?: object): void {
  history.pushState(state ?? null, '', IS_FILE ? `#${to}` : to);
}

export function replaceAddress(to: string): void {
  history.replaceState(null, '', IS_FILE ? `#${to}` : to);
}

/** Opens an address. */
export function openAddress(to: string): void {
  if (IS_FILE) location.hash = to;
  else location.assign(to);
}

/** In a file, links to other views stay in it. */
export function followLinksWithin(page: Document): void {
  if (!IS_FILE) return;
  page.addEventListener('click', (event) => {
    const to = (event.target as Element).closest('a')?.getAttribute('href');
    if (to?.startsWith('/') !== true) return;
    event.preventDefault();
    openAddress(to);
  });
}
