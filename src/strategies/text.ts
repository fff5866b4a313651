/** Room for a line that somebody reads, and none for a plugin that writes books. */
const MAX_LINE = 500;

/** The first line of a text, cut to a length that people read, without what would steer a terminal. */
export function firstLine(text: string, most = MAX_LINE): string {
  const [first = ''] = text.slice(0, most + 1).split(/[\n\r\u2028\u2029]/, 1);
  const line = first.replace(/\p{Cc}/gu, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** A plugin runs as one text, so the address of its module is none that others are found by. */
const TEXT_ADDRESS = 'data:text/javascript';

/** One line that says what was thrown, whatever it was. */
export function thrown(error: unknown): string {
  const { code, base, input } = (error ?? {}) as Readonly<Record<'code' | 'base' | 'input', unknown>>;
  if (code === 'ERR_INVALID_URL' && String(base).startsWith(TEXT_ADDRESS))
    return firstLine(
      `a plugin runs as one text, and finds no file by import.meta.url: import ${String(input)} instead, as in import bytes from './kernel.wasm'`,
    );
  return firstLine(error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`);
}
