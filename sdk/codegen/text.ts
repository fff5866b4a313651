/** A documentation comment of some paragraphs, indented; empty without any text. */
export function docComment(paragraphs: readonly (string | null | undefined)[], indent = ''): string {
  const lines = paragraphs
    .filter((paragraph): paragraph is string => Boolean(paragraph))
    .flatMap((paragraph, i) => (i === 0 ? paragraph.split('\n') : ['', ...paragraph.split('\n')]))
    .map((line) => line.replaceAll('*/', '*\\/').trimEnd());
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} *${line && ` ${line}`}\n`).join('')}${indent} */\n`;
}

/** `FollowPrioritized` as the name of a method: `followPrioritized`. */
export function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** `FollowPrioritized` as the name of a constant: `FOLLOW_PRIORITIZED`. */
export function constantCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase();
}
