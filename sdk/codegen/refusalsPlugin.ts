import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { codeOf, DETAIL_PREFIX, detailsOf, refusalTypes } from './refusals.ts';

/** Writes the table by which an answer is turned into an error of its class. */
export const plugin: PluginFunction = (schema) => {
  const types = refusalTypes(schema);
  const rows = types.map((type) => {
    const details = detailsOf(type).map(({ name }) => `'${name}'`);
    return `  ${codeOf(type)}: { type: ${type.name}, details: [${details.join(', ')}] },\n`;
  });
  return `import {
${types.map(({ name }) => `  ${name},\n`).join('')}} from './errors.ts';

/** What the name of a detail begins with in an answer. */
export const DETAIL_PREFIX = '${DETAIL_PREFIX}';

/** Every refusal there is, by its code: its class, and the names of its details. */
export const REFUSALS = {
${rows.join('')}} as const;
`;
};
