/**
 * What is subscribed to: progress under long names, so that a push has the size that is wanted, and executing it
 * costs little on any server.
 */
const FIELDS = ['seq', 'samples', 'labelled', 'answers'] as const;
/** What a message has beside names and numbers, roughly. */
const ENVELOPE = 100;

/** @param operation makes documents that are not the same */
export function progressDocument(bytes: number, operation = 0): string {
  const fields = 8;
  const name = 'x'.repeat(Math.floor((bytes - ENVELOPE) / fields) - 8);
  const selection = Array.from(
    { length: fields },
    (_, i) => `${name}${operation}${i}: ${FIELDS[i % FIELDS.length]}`,
  );
  return `subscription Progress${operation}($project: ID!) { progress(project: $project) { ${selection.join(' ')} } }`;
}
