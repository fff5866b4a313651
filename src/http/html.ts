/** A piece of HTML in which everything that came from elsewhere is escaped. */
export interface Html {
  readonly html: string;
}

/** What may stand in a template; null, undefined and false are nothing. */
type Part = Html | string | number | null | undefined | false | readonly Part[];

/** HTML from a template: what is put into it is text, unless it is HTML itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.reduce((whole, text, i) => whole + shown(parts[i - 1]) + text) };
}

/** Text of our own that needs no escaping. */
export function raw(text: string): Html {
  return { html: text };
}

function shown(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') {
    return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  }
  return 'html' in part ? part.html : part.map(shown).join('');
}
