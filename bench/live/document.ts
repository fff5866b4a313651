/**
 * What is subscribed to: progress, each field again and again under names of its own until a push has the size that is
 * wanted. In the SDK's own subscriptions a field with its name and its share of the message takes 27 bytes in an
 * agreement among ten people, and 31 in a queue of three samples.
 */
const FIELDS = ['seq', 'samples', 'labelled', 'answers'] as const;
export const FIELD_BYTES = 32;
/** What a field takes beside its name: quotes, a colon, a number, a comma. */
const BESIDE_NAME = 8;
/** What a message has beside the fields, roughly. */
const ENVELOPE = 100;

/** How many fields make a push of such a size. */
export function fieldsOf(bytes: number): number {
  return Math.round((bytes - ENVELOPE) / FIELD_BYTES);
}

/** @param operation makes documents that are not the same */
export function progressDocument(bytes: number, operation = 0): string {
  const selection = Array.from({ length: fieldsOf(bytes) }, (_, i) => {
    const field = FIELDS[i % FIELDS.length];
    return `${`${field}_${operation}_${i}`.padEnd(FIELD_BYTES - BESIDE_NAME, 'x')}: ${field}`;
  });
  return `subscription Progress${operation}($project: ID!) { progress(project: $project) { ${selection.join(' ')} } }`;
}
