import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  parse,
} from 'graphql';
import { Costs } from '../../src/graphql/costs.ts';
import { MAX_COST, MAX_TOKENS } from '../../src/graphql/limits.ts';
import { schema } from '../../src/graphql/schema.ts';
import type { Variables } from './service.ts';

/**
 * Asks for everything that the schema has. Every field goes by an alias that says what it is, so that each value
 * of an answer can be traced to its place in the schema: `Project__labels__0`.
 */

/** The arguments of a field by its coordinate (`Query.node`): a field is asked once for each of them. */
export type Arguments = (coordinate: string, args: readonly GraphQLArgument[]) => readonly Variables[];

export interface Walk {
  /** The field of the root type that it asks. */
  readonly coordinate: string;
  readonly document: string;
  readonly variables: Variables;
}

type Operation = 'query' | 'mutation' | 'subscription';

/**
 * A document for each field of a root type and each of its arguments, with everything below; several, where one would
 * be longer than the service takes.
 * @throws {Error} a field has a required argument that nothing was given for
 */
export function walks(operation: Operation, args: Arguments): readonly Walk[] {
  const made = MADE.get(args) ?? {};
  MADE.set(args, made);
  made[operation] ??= makeWalks(operation, args);
  return made[operation];
}

/** Every role walks the same way. */
const MADE = new WeakMap<Arguments, Partial<Record<Operation, readonly Walk[]>>>();

function makeWalks(operation: Operation, args: Arguments): readonly Walk[] {
  const root = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[operation];
  if (!root) throw new Error(`there is no ${operation} type`);
  return Object.values(root.getFields()).flatMap((field) => {
    const coordinate = `${root.name}.${field.name}`;
    const write = (given: Variables, variant: number, below: readonly string[]): Walk => {
      const asked = new Asked(args);
      const selection = asked.field(root, field, given, variant, [root.name], new Set(below));
      const declared = asked.declared.length > 0 ? `(${asked.declared.join(', ')})` : '';
      return {
        coordinate,
        document: `${operation} Walk${declared} { ${selection} }`,
        variables: asked.variables,
      };
    };
    const all = argumentsOf(coordinate, field, args);
    const [first] = all;
    if (first === undefined) return [];
    const portion = (below: readonly string[]): readonly (readonly string[])[] => {
      const half = below.length >> 1;
      if (half === 0 || !isTooMuch(write(first, 0, below))) return [below];
      return [...portion(below.slice(0, half)), ...portion(below.slice(half))];
    };
    // What is too much does not depend on the arguments: they are as many of a kind.
    const portions = portion(splittable(getNamedType(field.type)).flatMap(coordinatesOf));
    return all.flatMap((given, variant) => portions.map((below) => write(given, variant, below)));
  });
}

const COSTS = new Costs(schema);

/** Whether the service would refuse it for its size, or may. */
function isTooMuch({ document, variables }: Walk): boolean {
  const tokens = document.match(/\w+|\.{3}|[^\s\w,]/g)?.length ?? 0;
  return tokens > MAX_TOKENS || COSTS.of(parse(document), null, variables).cost > MAX_COST;
}

/** The types whose fields are spread over several documents where need be: of a list, those of its entries. */
function splittable(type: GraphQLNamedType): readonly GraphQLObjectType[] {
  return objectsOf(type).flatMap((object) => {
    const inside = wrapped(object);
    return inside ? splittable(inside) : [object];
  });
}

/** What a connection or its edge is about. */
function wrapped(type: GraphQLObjectType): GraphQLNamedType | null {
  const { edges, node } = type.getFields();
  const inner = type.name.endsWith('Connection') ? edges : type.name.endsWith('ConnectionEdge') ? node : null;
  return inner ? getNamedType(inner.type) : null;
}

function objectsOf(type: GraphQLNamedType): readonly GraphQLObjectType[] {
  return (isAbstractType(type) ? schema.getPossibleTypes(type) : [type]).filter(isObjectType);
}

function coordinatesOf(type: GraphQLObjectType): readonly string[] {
  return Object.keys(type.getFields()).map((name) => `${type.name}.${name}`);
}

/** A value of an answer, and the schema's coordinate that gave it. */
export interface Leaf {
  readonly coordinate: string;
  readonly value: unknown;
}

/** Every value of the answer to a walk, nulls left out. */
export function leaves(answer: unknown, coordinate = ''): readonly Leaf[] {
  if (answer === null || answer === undefined) return [];
  if (Array.isArray(answer)) return answer.flatMap((entry) => leaves(entry, coordinate));
  if (typeof answer !== 'object') return [{ coordinate, value: answer }];
  return Object.entries(answer).flatMap(([key, value]) => {
    if (key === '__typename') return [{ coordinate: `${coordinate}.__typename`, value }];
    const [type, field] = key.split('__');
    return leaves(value, type && field ? `${type}.${field}` : coordinate);
  });
}

/** Every coordinate of an object type's field that can be reached from the root of an operation. */
export function reachable(operation: Operation, args: Arguments): ReadonlySet<string> {
  const text = walks(operation, args)
    .map(({ document }) => document)
    .join(' ');
  return new Set(
    [...text.matchAll(/\b([A-Za-z\d]+)__([A-Za-z\d]+)__\d+:/g)].map(([, type, field]) => `${type}.${field}`),
  );
}

function argumentsOf(
  coordinate: string,
  field: GraphQLField<unknown, unknown>,
  args: Arguments,
): readonly Variables[] {
  const given = field.args.length === 0 ? [{}] : args(coordinate, field.args);
  for (const one of given) {
    const missing = field.args.filter((arg) => isRequiredArgument(arg) && !(arg.name in one));
    if (missing.length > 0) {
      throw new Error(`${coordinate} is new here: give it ${missing.map(({ name }) => name).join(', ')}`);
    }
  }
  return given;
}

class Asked {
  readonly declared: string[] = [];
  readonly variables: Record<string, unknown> = {};
  readonly #args: Arguments;

  constructor(args: Arguments) {
    this.#args = args;
  }

  field(
    parent: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
    given: Variables,
    variant: number,
    path: readonly string[],
    below?: ReadonlySet<string>,
  ): string {
    const passed = Object.entries(given).map(([name, value]) => {
      const type = field.args.find((arg) => arg.name === name)?.type;
      const variable = `v${this.declared.length}`;
      this.declared.push(`$${variable}: ${type}`);
      this.variables[variable] = value;
      return `${name}: $${variable}`;
    });
    const list = passed.length > 0 ? `(${passed.join(', ')})` : '';
    const selection = this.#all(getNamedType(field.type), path, below);
    return `${parent.name}__${field.name}__${variant}: ${field.name}${list} ${selection}`;
  }

  /**
   * All fields of a type, or of them those in `below`, but for what would lead back to where one has come from.
   */
  #all(type: GraphQLNamedType, path: readonly string[], below?: ReadonlySet<string>): string {
    if (isLeafType(type)) return '';
    const parts = objectsOf(type).map((object) => {
      const isWrapper = wrapped(object) !== null;
      const fields = path.includes(object.name)
        ? []
        : Object.values(object.getFields()).filter(
            ({ name }) => isWrapper || (below?.has(`${object.name}.${name}`) ?? true),
          );
      const selections = fields.flatMap((field) =>
        argumentsOf(`${object.name}.${field.name}`, field, this.#args).map((given, variant) =>
          this.field(object, field, given, variant, [...path, object.name], isWrapper ? below : undefined),
        ),
      );
      return `... on ${object.name} { __typename ${selections.join(' ')} }`;
    });
    return `{ ${parts.join(' ')} }`;
  }
}
