import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import {
  GraphQLList,
  GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isObjectType,
} from 'graphql';
import { codeOf, detailsOf, refusalTypes } from './refusals.ts';
import { docComment } from './text.ts';

/** Writes an error class for each refusal of the schema, with its code and its details. */
export const plugin: PluginFunction = (schema) => {
  const types = refusalTypes(schema);
  const inner = new Set(
    types
      .flatMap(detailsOf)
      .map(({ type }) => getNamedType(type))
      .filter(isObjectType),
  );
  return [
    "import { type DetailsOf, RefusalError } from '../errors.ts';\n",
    ...[...inner].map(innerType),
    ...types.map(errorClass),
  ].join('\n');
};

function innerType(type: GraphQLObjectType): string {
  return `${docComment([type.description])}export interface ${type.name} {\n${properties(Object.values(type.getFields()), '  ')}}\n`;
}

function errorClass(type: GraphQLObjectType): string {
  const details = detailsOf(type);
  const constructorText =
    details.length === 0
      ? ''
      : `
  constructor(message: string, details: DetailsOf<${type.name}>) {
    super(message);
${details.map(({ name }) => `    this.${name} = details.${name};\n`).join('')}  }
`;
  return `${docComment([type.description])}export class ${type.name} extends RefusalError {
  override readonly name = '${type.name}';
  override readonly code = '${codeOf(type)}';
${properties(details, '  ')}${constructorText}}
`;
}

function properties(fields: ReturnType<typeof detailsOf>, indent: string): string {
  return fields
    .map(
      ({ name, type, description }) =>
        `${docComment([description], indent)}${indent}readonly ${name}: ${typeText(type)};\n`,
    )
    .join('');
}

function typeText(type: GraphQLOutputType): string {
  if (!(type instanceof GraphQLNonNull)) return `${typeText(new GraphQLNonNull(type))} | null`;
  const present = type.ofType;
  if (present instanceof GraphQLList) return `readonly ${typeText(present.ofType)}[]`;
  const scalars: Record<string, string> = {
    String: 'string',
    ID: 'string',
    Int: 'number',
    Float: 'number',
    Boolean: 'boolean',
  };
  return scalars[present.name] ?? present.name;
}
