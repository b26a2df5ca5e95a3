/** Sentry's rules for names. It refuses a whole event if a name breaks them. https://docs.sentry.io/product/releases/naming-releases/ */

export function isEnvironment(text: string): boolean {
  return text !== 'None' && isName(text, 64);
}

export function isRelease(text: string): boolean {
  return text !== '.' && text !== '..' && isName(text, 250);
}

function isName(text: string, maxCharacters: number): boolean {
  return text !== '' && text.length <= maxCharacters && !/[\s/\\]/.test(text);
}
