import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { definitionsIn, nameOf } from './documents.ts';
import { documentOf } from './operationsPlugin.ts';

/** Lists what the SDK sends, by the operations' names: a manifest for a service that is to run nothing else. */
export const plugin: PluginFunction = (schema, documents) => {
  const { fragments, operations } = definitionsIn(documents);
  const texts = operations.map((operation) => [nameOf(operation), documentOf(schema, fragments, operation)]);
  return `${JSON.stringify(Object.fromEntries(texts), null, 2)}\n`;
};
