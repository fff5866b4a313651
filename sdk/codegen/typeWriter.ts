import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  isScalarType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { docComment } from './text.ts';

/** The scalars that need no alias in TypeScript. */
const BUILT_IN = new Map([
  ['ID', 'string'],
  ['String', 'string'],
  ['Boolean', 'boolean'],
  ['Int', 'number'],
  ['Float', 'number'],
]);

/** The node of a connection whose nodes and place are selected: what `Page` is of. */
function nodeOfPage(set: SelectionSetNode, type: GraphQLCompositeType) {
  const edges = fieldNamed(set, 'edges');
  const field = edges?.selectionSet && fieldNamed(edges.selectionSet, 'node');
  const edge = isObjectType(type) && getNamedType(type.getFields()['edges']?.type);
  const nodeType = isObjectType(edge) && edge.getFields()['node']?.type;
  return field && nodeType && fieldNamed(set, 'pageInfo') ? { field, type: nodeType } : null;
}

function fieldNamed({ selections }: SelectionSetNode, name: string): FieldNode | undefined {
  return selections.find((selection) => selection.kind === Kind.FIELD && selection.name.value === name) as
    | FieldNode
    | undefined;
}

/** Turns what documents select into TypeScript types that say of each field what the schema says of it. */
export class TypeWriter {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The types that were named so far and are declared elsewhere. */
  readonly #named = new Set<string>();

  constructor(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#schema = schema;
    this.#fragments = fragments;
  }

  /** The interface of a fragment. */
  fragment({ name, typeCondition, selectionSet }: FragmentDefinitionNode): string {
    const type = this.#composite(typeCondition.name.value);
    const bases = this.#spreads(selectionSet);
    const heritage = bases.length > 0 ? ` extends ${bases.join(', ')}` : '';
    const body = this.#fields(selectionSet, type, '  ');
    return `${docComment([type.description])}export interface ${name.value}${heritage} {\n${body}}\n`;
  }

  /** The type of what a field gives, `null` included where the schema has it. */
  output(node: FieldNode, type: GraphQLOutputType, indent = ''): string {
    if (type instanceof GraphQLNonNull) return this.#present(node, type.ofType, indent);
    return `${this.#present(node, type, indent)} | null`;
  }

  /** The type of a variable or of another value that goes in. */
  leaf(name: string): string {
    const builtIn = BUILT_IN.get(name);
    if (builtIn) return builtIn;
    if (name === 'JSON') return 'unknown';
    this.#named.add(name);
    return name;
  }

  #present(node: FieldNode, type: GraphQLOutputType, indent: string): string {
    if (type instanceof GraphQLList) {
      const item = this.output(node, type.ofType, indent);
      return item.includes(' | ') ? `readonly (${item})[]` : `readonly ${item}[]`;
    }
    const named = getNamedType(type);
    if (!isCompositeType(named)) return this.leaf(named.name);
    if (!node.selectionSet) throw new TypeError(`${node.name.value} selects nothing`);
    return this.#selected(node.selectionSet, named, indent);
  }

  #selected(set: SelectionSetNode, type: GraphQLCompositeType, indent: string): string {
    if (isAbstractType(type)) return this.#spreads(set).join(' | ');
    const node = nodeOfPage(set, type);
    if (node) {
      this.#named.add('Page');
      return `Page<${this.output(node.field, node.type, indent)}>`;
    }
    const spreads = this.#spreads(set);
    const fields = this.#fields(set, type, `${indent}  `);
    if (fields !== '') spreads.push(`{\n${fields}${indent}}`);
    return spreads.join(' & ');
  }

  /** The interfaces of the fragments that a selection spreads. */
  #spreads({ selections }: SelectionSetNode): string[] {
    return selections.flatMap((selection) => {
      if (selection.kind !== Kind.FRAGMENT_SPREAD) return [];
      this.#named.add(selection.name.value);
      return [selection.name.value];
    });
  }

  #fields(set: SelectionSetNode, type: GraphQLCompositeType, indent: string): string {
    let text = '';
    for (const selection of set.selections) {
      if (selection.kind !== Kind.FIELD) continue;
      const name = selection.name.value;
      if (name === '__typename') {
        text += `${indent}/** Tells it from the other members of a union. */\n`;
        text += `${indent}readonly __typename: '${type.name}';\n`;
        continue;
      }
      const field = 'getFields' in type ? type.getFields()[name] : undefined;
      if (!field) throw new TypeError(`${type.name} has no field ${name}`);
      text += docComment([field.description], indent);
      text += `${indent}readonly ${(selection.alias ?? selection.name).value}: ${this.output(selection, field.type, indent)};\n`;
    }
    return text;
  }

  /**
   * The imports that the text written so far needs.
   *
   * @param own the names that the text itself declares
   */
  imports(own: ReadonlySet<string> = new Set()): string {
    const modules = new Map<string, string[]>();
    for (const name of [...this.#named].sort()) {
      if (own.has(name)) continue;
      const from = this.#moduleOf(name);
      modules.set(from, [...(modules.get(from) ?? []), name]);
    }
    return [...modules]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([from, names]) => `import type { ${names.join(', ')} } from '${from}';\n`)
      .join('');
  }

  #moduleOf(name: string): string {
    if (name === 'Page') return '../pages.ts';
    if (this.#fragments.has(name)) return './types.ts';
    return isScalarType(this.#schema.getType(name)) ? '../scalars.ts' : './schema.ts';
  }

  #composite(name: string): GraphQLCompositeType {
    const type = this.#schema.getType(name);
    if (!isCompositeType(type)) throw new TypeError(`the schema has no type ${name}`);
    return type;
  }
}
