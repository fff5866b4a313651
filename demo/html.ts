import { Parser } from 'htmlparser2';

/** Their content is never shown to a reader. */
const silent = new Set(['title', 'script', 'style', 'noscript', 'iframe', 'noembed', 'template', 'select']);
/** They begin and end a line of their own. */
const block = new Set(
  (
    'address article aside blockquote body center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header ' +
    'hr html li main nav ol option p pre section table tbody tfoot thead tr ul'
  ).split(' '),
);
/** Blocks with an empty line before and after. */
const paragraph = new Set(['blockquote', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'table', 'ul', 'ol', 'dl']);

/**
 * What a person reads of an HTML mail: lines and paragraphs where the page has them, `•` before list items,
 * `[…]` for an image's alternative text, entities decoded. Nothing is laid out: tables become lines.
 *
 * Why htmlparser2 and forty lines rather than html-to-text: the mail of 2002 is full of unclosed tags, comments
 * in the middle of words and entities without semicolons, so it takes a real tokenizer, but the layout engine
 * above it (and its six dependencies, and untyped API) would be paid for without being used.
 */
export function htmlToText(html: string): string {
  let out = '';
  let breaks = 0; // due before the next word
  let silence = 0; // open silent elements
  const write = (source: string): void => {
    if (silence > 0) return;
    // A line break in the source is a space to the reader; at the start of a line it is nothing.
    const text = source.replace(/\s+/g, ' ');
    const words = breaks > 0 || out === '' ? text.trimStart() : text;
    if (words === '') return;
    out += '\n'.repeat(breaks) + words;
    breaks = 0;
  };
  const endLine = (name: string): void => {
    if (block.has(name) && silence === 0 && out !== '')
      breaks = Math.max(breaks, paragraph.has(name) ? 2 : 1);
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      if (silent.has(name)) silence++;
      endLine(name);
      if (name === 'br' && silence === 0 && out !== '') breaks++;
      if (name === 'td' || name === 'th') write(' ');
      if (name === 'li') write('• ');
      const alt = name === 'img' ? attributes['alt']?.trim() : undefined;
      if (alt) write(` [${alt}] `);
    },
    ontext: write,
    onclosetag(name) {
      if (silent.has(name) && silence > 0) silence--;
      endLine(name);
    },
  });
  parser.write(html);
  parser.end();
  return out;
}
