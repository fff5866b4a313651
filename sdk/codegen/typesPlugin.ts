import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { definitionsIn } from './documents.ts';
import { TypeWriter } from './typeWriter.ts';

/** Writes an interface for each fragment. */
export const plugin: PluginFunction = (schema, documents) => {
  const { fragments } = definitionsIn(documents);
  const types = new TypeWriter(schema, fragments);
  const interfaces = [...fragments.values()].map((fragment) => types.fragment(fragment));
  return [types.imports(new Set(fragments.keys())), ...interfaces].join('\n');
};
