import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE } from './connections.ts';
import { MAX_EXAMPLES } from './trainingSet.ts';

/** What it costs to answer an operation, as its text and variables tell. */

/** What an operation comes to. */
export interface Cost {
  readonly cost: number;
  readonly depth: number;
  /** How often it asks for the whole schema. */
  readonly introspections: number;
}

const NOTHING: Cost = { cost: 0, depth: 0, introspections: 0 };

/** What a field costs by itself, where that is more than 1. */
const OWN_COST: Readonly<Record<string, number>> = {
  // Read from the store and parsed; how large they are is counted when they are read.
  'Assignment.data': 10,
  'PrioritizedSample.data': 10,
  'Sample.data': 10,
  // Lists and texts of people's own.
  'ColdStart.parameters': 10,
  'Policy.strategyParameters': 10,
  'Project.guidelines': 10,
  'Project.labels': 10,
  'Round.strategyParameters': 10,
  'UnknownLabelError.known': 10,
  // These look through more than they answer with.
  'Project.agreement': 1_000,
  'Project.agreementPairs': 1_000,
  'Project.annotatorErrors': 1_000,
  'Project.annotatorWork': 100,
  'Project.ownWork': 100,
  'Project.consensusEstimate': 1_000,
  'Project.disagreements': 1_000,
  'Project.export': 1_000,
  'Project.gold': 1_000,
  'Project.goldCandidates': 1_000,
  'Project.invitations': 100,
  'Project.members': 100,
  'Project.tokens': 100,
  'Project.queue': 100,
  'Project.report': 10_000,
  'Project.suggestedThreshold': 1_000,
  'Project.trainingSet': 1_000,
  'Sample.estimate': 10,
  'Query.projects': 100,
  'Query.tokens': 100,
  'Query.replay': 10_000,
  'Subscription.agreement': 1_000,
  'Subscription.gold': 1_000,
  'Subscription.people': 1_000,
};

/** How many entries a list of objects has, at most or usually. Of connections it is said by their arguments. */
const ENTRIES: Readonly<Record<string, number>> = {
  'ActivityEvents.events': 50,
  'Agreement.classes': 100,
  'Agreement.pairs': 100,
  'AgreementPair.members': 2,
  'AnnotatorSeries.series': 60,
  'OwnWork.series': 60,
  'PeopleAtWork.people': 50,
  'BadEmbeddingsError.badRows': 10,
  'BadProbabilitiesError.badRows': 10,
  'ConsensusEstimate.classPrior': 100,
  'Disagreement.answers': 5,
  'GoldState.annotators': 50,
  'PredictionRun.classAudits': 100,
  'PredictionRun.peopleAgreement': 10,
  'PredictionRun.suggestionEffects': 2,
  'Presence.people': 1_000,
  'PrioritizedSamples.samples': 50,
  'Query.strategies': 50,
  'Subscription.strategies': 50,
  'Queue.assignments': 100,
  // Those of the last ten answers.
  'Queue.revealed': 10,
  'Replay.changed': 10,
  'Report.advice': 10,
  'Report.agreementTrend': 12,
  'Report.suggestionEffects': 2,
  'Report.classPairs': 200,
  'Report.learningCurve': 100,
  'Report.people': 100,
  'Replay.top': 100,
  'Round.strategyAsked': 10,
  // Few samples are labelled by more people.
  'Sample.annotations': 3,
  'SampleEstimate.classes': 10,
  '__Directive.args': 2,
  '__Field.args': 3,
  '__Schema.directives': 6,
  '__Type.enumValues': 30,
  '__Type.fields': 30,
  '__Type.inputFields': 30,
  '__Type.interfaces': 3,
  // Few types are wrapped, and fewer twice: that it is asked for nine times over costs little.
  '__Type.ofType': 0.5,
  '__Type.possibleTypes': 30,
};
/** The same where all types are asked, of which few are large: what the schema has on average. */
function entriesOfAll(schema: GraphQLSchema): Readonly<Record<string, number>> {
  const types = Object.values(schema.getTypeMap());
  const fields = types.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [],
  );
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const perType = (count: (type: GraphQLNamedType) => number) => sum(types.map(count)) / types.length;
  return {
    '__Field.args': sum(fields.map(({ args }) => args.length)) / fields.length,
    '__Type.enumValues': perType((type) => (isEnumType(type) ? type.getValues().length : 0)),
    '__Type.fields': fields.length / types.length,
    '__Type.inputFields': perType((type) =>
      isInputObjectType(type) ? Object.keys(type.getFields()).length : 0,
    ),
    '__Type.interfaces': perType((type) => (isObjectType(type) ? type.getInterfaces().length : 0)),
    '__Type.possibleTypes': perType((type) =>
      isAbstractType(type) ? schema.getPossibleTypes(type).length : 0,
    ),
  };
}

/** Lists with an entry for each of what an argument names, and that argument. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'Project.samplesWithKeys': 'keys',
  'Query.nodes': 'ids',
};

/** Entries of a list of which nothing is said. */
const SOME = 10;

/** The lists of objects whose length nothing bounds for the limits: none, says a test. */
export function unboundedLists(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields())
          .filter(
            (field) => isListType(getNullableType(field.type)) && isCompositeType(getNamedType(field.type)),
          )
          .map(({ name }) => `${type.name}.${name}`)
          .filter(
            (name) =>
              !(name in ENTRIES || name in NAMED_BY) && !/Connection\.edges$|^__Schema\.types$/.test(name),
          )
      : [],
  );
}

/** The fields that the tables name and the schema does not have: none, says a test. */
export function unknownFields(schema: GraphQLSchema): string[] {
  return Object.keys({ ...OWN_COST, ...ENTRIES, ...NAMED_BY }).filter((name) => {
    const [type = '', field = ''] = name.split('.');
    const found = schema.getType(type);
    return !((isObjectType(found) || isInterfaceType(found)) && field in found.getFields());
  });
}

type Variables = Readonly<Record<string, unknown>>;

/** Costs of the operations of valid documents; those that no variable changes are counted once. */
export class Costs {
  readonly #schema: GraphQLSchema;
  readonly #entriesOfAll: Readonly<Record<string, number>>;
  readonly #fixed = new WeakMap<OperationDefinitionNode, Cost>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
    this.#entriesOfAll = entriesOfAll(schema);
  }

  /** An operation's cost; nothing if the document does not say which one is meant. */
  of(
    document: DocumentNode,
    operationName: string | null | undefined,
    variables: Variables | null | undefined,
  ): Cost {
    const operation = getOperationAST(document, operationName || null);
    if (!operation) return NOTHING;
    const known = this.#fixed.get(operation);
    if (known !== undefined) return known;
    const count = new Count(this.#schema, this.#entriesOfAll, document, given(operation, variables ?? {}));
    const { cost: rough, ...rest } = count.of(operation);
    const cost = { ...rest, cost: Math.ceil(rough) };
    if (!count.usedVariables) this.#fixed.set(operation, cost);
    return cost;
  }
}

/** The variables, with the defaults of those that are not given. */
function given({ variableDefinitions = [] }: OperationDefinitionNode, variables: Variables): Variables {
  const all: Record<string, unknown> = {};
  for (const { variable, defaultValue } of variableDefinitions) {
    const name = variable.name.value;
    if (Object.hasOwn(variables, name)) all[name] = variables[name];
    else if (defaultValue?.kind === Kind.INT) all[name] = Number(defaultValue.value);
    else if (defaultValue?.kind === Kind.LIST) all[name] = defaultValue.values;
  }
  return all;
}

interface Place {
  readonly type: GraphQLNamedType;
  /** The size of the page whose entries lie below, in a connection. */
  readonly page: number;
  /** Whether all types of the schema are gone through here. */
  readonly ofAllTypes: boolean;
}

class Count {
  readonly #schema: GraphQLSchema;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  /** By name and place: each is counted once, however often it is spread. */
  readonly #counted = new Map<string, Cost>();
  readonly #entriesOfAll: Readonly<Record<string, number>>;
  readonly #variables: Variables;
  usedVariables = false;

  constructor(
    schema: GraphQLSchema,
    entriesOfAll: Readonly<Record<string, number>>,
    document: DocumentNode,
    variables: Variables,
  ) {
    this.#schema = schema;
    this.#entriesOfAll = entriesOfAll;
    this.#variables = variables;
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition);
    }
  }

  of({ operation, selectionSet }: OperationDefinitionNode): Cost {
    const type = this.#schema.getRootType(operation);
    return type ? this.#selections(selectionSet, { type, page: 1, ofAllTypes: false }) : NOTHING;
  }

  #selections({ selections }: SelectionSetNode, place: Place): Cost {
    let [cost, depth, introspections] = [0, 0, 0];
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#field(selection, place)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? this.#fragment(selection.name.value, place)
            : this.#selections(selection.selectionSet, this.#on(selection.typeCondition?.name.value, place));
      cost += part.cost;
      depth = Math.max(depth, part.depth);
      introspections += part.introspections;
    }
    return { cost, depth, introspections };
  }

  #fragment(name: string, place: Place): Cost {
    const fragment = this.#fragments.get(name);
    if (!fragment) return NOTHING;
    const key = `${name} ${place.page} ${place.ofAllTypes}`;
    let cost = this.#counted.get(key);
    if (cost === undefined) {
      cost = this.#selections(fragment.selectionSet, this.#on(fragment.typeCondition.name.value, place));
      this.#counted.set(key, cost);
    }
    return cost;
  }

  #on(condition: string | undefined, place: Place): Place {
    const type = condition === undefined ? undefined : this.#schema.getType(condition);
    return type ? { ...place, type } : place;
  }

  #field(node: FieldNode, { type, page, ofAllTypes }: Place): Cost {
    const field = this.#definition(type, node.name.value);
    if (!field) return NOTHING;
    const name = `${type.name}.${field.name}`;
    const own = OWN_COST[name] ?? 1;
    const introspections = field === SchemaMetaFieldDef ? 1 : 0;
    if (!node.selectionSet) return { cost: own, depth: 1, introspections };
    const isPaged = field.args.some(({ name: argument }) => argument === 'first');
    const below = this.#selections(node.selectionSet, {
      type: getNamedType(field.type),
      page: isPaged ? this.#pageSize(node, field) : 1,
      ofAllTypes: name === '__Schema.types' || (ofAllTypes && name === '__Type.fields'),
    });
    const times =
      isListType(getNullableType(field.type)) || name in ENTRIES
        ? this.#entries(name, node, { page, ofAllTypes })
        : 1;
    return {
      cost: own + times * (below.cost + (times > 1 ? 1 : 0)),
      depth: below.depth + 1,
      introspections: introspections + below.introspections,
    };
  }

  #definition(type: GraphQLNamedType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
    return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
  }

  #entries(name: string, node: FieldNode, { page, ofAllTypes }: Pick<Place, 'page' | 'ofAllTypes'>): number {
    if (name.endsWith('Connection.edges')) return page;
    const argument = NAMED_BY[name];
    if (argument !== undefined) return this.#named(node, argument);
    if (name === '__Schema.types') return Object.keys(this.#schema.getTypeMap()).length;
    return (ofAllTypes ? this.#entriesOfAll[name] : undefined) ?? ENTRIES[name] ?? SOME;
  }

  #named(node: FieldNode, argument: string): number {
    const value = node.arguments?.find(({ name }) => name.value === argument)?.value;
    if (value?.kind === Kind.LIST) return value.values.length;
    if (value?.kind !== Kind.VARIABLE) return 1;
    this.usedVariables = true;
    const names = this.#variables[value.name.value];
    return Array.isArray(names) ? names.length : 1;
  }

  /** How many a connection is asked for. What will be refused counts as the most. */
  #pageSize(node: FieldNode, field: GraphQLField<unknown, unknown>): number {
    const max = field.name === 'trainingSet' ? MAX_EXAMPLES : MAX_PAGE;
    const sizes = ['first', 'last'].flatMap((argument) => {
      const value = node.arguments?.find(({ name }) => name.value === argument)?.value;
      if (value?.kind === Kind.INT) return [Number(value.value)];
      if (value?.kind !== Kind.VARIABLE) return [];
      this.usedVariables = true;
      const size = this.#variables[value.name.value];
      return size == null ? [] : [Number(size)];
    });
    if (sizes.length === 0) return DEFAULT_PAGE;
    const size = Math.max(...sizes);
    return size >= 0 && size <= max ? size : max;
  }
}
