import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  type TypeNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql';
import { definitionsIn, nameOf } from './documents.ts';
import { withRefusals } from './refusals.ts';
import { camelCase, constantCase, docComment } from './text.ts';
import { TypeWriter } from './typeWriter.ts';

/** Writes a typed function for each operation, and the text that it sends. */
export const plugin: PluginFunction = (schema, documents) => {
  const { fragments, operations } = definitionsIn(documents);
  const types = new TypeWriter(schema, fragments);
  const written = operations.map((operation) => writeOperation(schema, types, fragments, operation));
  const mutations = operations.filter(({ operation }) => operation === 'mutation').map(nameOf);
  return [
    `import type { CallOptions, Operation, Transport } from '../operation.ts';\n${types.imports()}`,
    ...written.map(({ constant }) => constant),
    `/** The name of an operation that changes something. */
export type MutationName =${mutations.map((name) => `\n  | '${name}'`).join('')};\n`,
    `/** Every operation as a function, over a transport. */
export function bindOperations({ call, stream }: Transport) {
  return {
${written.map(({ method }) => method).join('\n')}  };
}

/** Every operation of the service as a typed function. */
export type Operations = ReturnType<typeof bindOperations>;
`,
  ].join('\n');
};

/** What is sent for an operation. */
export function documentOf(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  operation: OperationDefinitionNode,
): string {
  const definitions = [operation, ...fragmentsOf(operation.selectionSet, fragments)];
  return print(withRefusals(schema, { kind: Kind.DOCUMENT, definitions }));
}

interface Written {
  readonly constant: string;
  readonly method: string;
}

function writeOperation(
  schema: GraphQLSchema,
  types: TypeWriter,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  operation: OperationDefinitionNode,
): Written {
  const name = nameOf(operation);
  const { path, description, text } = resultOf(schema, types, operation);
  const isStream = operation.operation === 'subscription';
  const kind = isStream ? (takesCursor(operation) ? 'feed' : 'state') : operation.operation;
  const document = documentOf(schema, fragments, operation);
  const constant = `const ${constantCase(name)}: Operation = {
  name: '${name}',
  kind: '${kind}',
  path: [${path.map((field) => `'${field}'`).join(', ')}],
  document: \`${document.replaceAll('`', '\\`')}\`,
};
`;
  const { parameter, argument } = variablesOf(types, operation);
  const result = isStream ? `AsyncIterable<${text}>` : `Promise<${text}>`;
  const method = `${docComment([description], '    ')}    ${camelCase(name)}(${parameter}options?: CallOptions): ${result} {
      return ${isStream ? 'stream' : 'call'}(${constantCase(name)}, ${argument}, options);
    },
`;
  return { constant, method };
}

/**
 * What the function of an operation gives: what lies at the end of its single fields. `project { agreement {…} }`
 * is the agreement, or null where the project is.
 */
function resultOf(schema: GraphQLSchema, types: TypeWriter, operation: OperationDefinitionNode) {
  const root = schema.getRootType(operation.operation);
  if (!root) throw new TypeError(`the schema has no ${operation.operation}`);
  const path: string[] = [];
  let parent: GraphQLObjectType = root;
  let set = operation.selectionSet;
  let isNullable = false;
  for (;;) {
    const field = onlyField(set);
    if (!field) throw new TypeError(`${nameOf(operation)} selects more than one field at its root`);
    const definition = parent.getFields()[field.name.value];
    if (!definition) throw new TypeError(`${parent.name} has no field ${field.name.value}`);
    path.push(field.name.value);
    const inner = step(field, definition.type);
    if (inner && onlyField(inner.set)) {
      isNullable ||= !(definition.type instanceof GraphQLNonNull);
      parent = inner.type;
      set = inner.set;
      continue;
    }
    const text = types.output(field, definition.type, '    ');
    const alsoNull = isNullable && definition.type instanceof GraphQLNonNull ? ' | null' : '';
    return { path, description: definition.description, text: text + alsoNull };
  }
}

function step(field: FieldNode, type: GraphQLOutputType) {
  const named = getNamedType(type);
  const isList = String(type).startsWith('[');
  return isObjectType(named) && field.selectionSet && !isList
    ? { type: named, set: field.selectionSet }
    : null;
}

function onlyField({ selections }: SelectionSetNode): FieldNode | null {
  const [only] = selections;
  return selections.length === 1 && only?.kind === Kind.FIELD ? only : null;
}

/** A mutation takes its input; any other operation takes its variables by name. */
function variablesOf(types: TypeWriter, { variableDefinitions = [] }: OperationDefinitionNode) {
  const [only] = variableDefinitions;
  if (only === undefined) return { parameter: '', argument: '{}' };
  if (variableDefinitions.length === 1 && only.variable.name.value === 'input') {
    return { parameter: `input: ${variableType(types, only.type)}, `, argument: '{ input }' };
  }
  const properties = variableDefinitions.map((definition) => {
    const { variable, type } = definition;
    const optional = isOptional(definition);
    const absent = [type.kind !== Kind.NON_NULL_TYPE && ' | null', optional && ' | undefined'].filter(
      Boolean,
    );
    return `readonly ${variable.name.value}${optional ? '?' : ''}: ${variableType(types, type)}${absent.join('')}`;
  });
  const byDefault = variableDefinitions.every(isOptional) ? ' = {}' : '';
  return {
    parameter: `variables: { ${properties.join('; ')} }${byDefault}, `,
    argument: 'variables',
  };
}

function isOptional({ type, defaultValue }: VariableDefinitionNode): boolean {
  return type.kind !== Kind.NON_NULL_TYPE || defaultValue !== undefined;
}

function variableType(types: TypeWriter, node: TypeNode): string {
  if (node.kind === Kind.NON_NULL_TYPE) return variableType(types, node.type);
  if (node.kind === Kind.LIST_TYPE) return `readonly ${variableType(types, node.type)}[]`;
  return types.leaf(node.name.value);
}

function takesCursor({ variableDefinitions = [] }: OperationDefinitionNode): boolean {
  return variableDefinitions.some(({ variable }) => variable.name.value === 'after');
}

/** The fragments that a selection spreads, and those that they spread, by name. */
function fragmentsOf(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  found = new Map<string, FragmentDefinitionNode>(),
): readonly FragmentDefinitionNode[] {
  visit(set, {
    FragmentSpread({ name }) {
      const fragment = fragments.get(name.value);
      if (!fragment || found.has(name.value)) return;
      found.set(name.value, fragment);
      fragmentsOf(fragment.selectionSet, fragments, found);
    },
  });
  return [...found.values()].sort((a, b) => (a.name.value < b.name.value ? -1 : 1));
}
