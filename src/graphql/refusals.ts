import type { InputObjectRef, ObjectRef, TypeParam } from '@pothos/core';
import {
  type BadRow,
  REFUSAL_CODES,
  Refusal,
  type RefusalCode,
  type RefusalDetails,
} from '../domain/refusals.ts';
import { builder, type Context, enumType, type SchemaTypes, viewerOf } from './builder.ts';

/**
 * Refusals as the API shows them: each code of the closed table is an object type behind the `Error` interface,
 * and each mutation answers with a union of its success and those it can give.
 */

/** A refusal as a resolver's value: graphql-js takes any value that is an Error for a failure of the field. */
class Refused {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    this.refusal = refusal;
  }
}

const BadRowType = builder.objectRef<BadRow>('BadRow').implement({
  description: 'One row of probabilities or embeddings that cannot be taken.',
  fields: (t) => ({
    row: t.exposeInt('row', { description: 'Its place in the uploaded part, from 0.' }),
    problem: t.exposeString('problem', { description: 'What is wrong with it.' }),
  }),
});

type FieldKind = 'Int' | 'String' | '[String]' | '[BadRow]';
type KindOf<T> = T extends string
  ? 'String'
  : T extends number
    ? 'Int'
    : T extends readonly string[]
      ? '[String]'
      : '[BadRow]';

const FIELD_TYPES: Readonly<Record<FieldKind, TypeParam<SchemaTypes>>> = {
  Int: 'Int',
  String: 'String',
  '[String]': ['String'],
  '[BadRow]': [BadRowType],
};

/** The fields of each refusal beside code and message: their types and meanings. */
const FIELDS: {
  readonly [C in RefusalCode]: {
    readonly about: string;
    readonly fields: {
      readonly [F in keyof RefusalDetails[C]]: readonly [KindOf<RefusalDetails[C][F]>, string];
    };
  };
} = {
  INVALID_INPUT: {
    about: 'A value is out of its range or malformed.',
    fields: { field: ['String', 'Which value.'], problem: ['String', 'What is wrong with it.'] },
  },
  NOT_FOUND: {
    about: 'There is no such thing, or it is not yours to see: the two look alike.',
    fields: { what: ['String', 'What was looked for.'] },
  },
  FORBIDDEN: {
    about: 'Your role does not allow it.',
    fields: { allowed: ['[String]', 'The roles that do.'] },
  },
  UNKNOWN_LABEL: {
    about: 'The label is not in the label set.',
    fields: { label: ['String', 'The label given.'], known: ['[String]', 'The label set.'] },
  },
  DUPLICATE_KEYS: {
    about: 'Keys that the project has already or that come twice. Nothing of the part was kept.',
    fields: { count: ['Int', 'How many.'], keys: ['[String]', 'The first ones.'] },
  },
  PART_OUT_OF_ORDER: {
    about: 'The part of an import before this one is not in. Nothing of this part was kept.',
    fields: { part: ['Int', 'The part, from 0.'], missing: ['Int', 'The part that comes first.'] },
  },
  UNKNOWN_SAMPLES: {
    about: 'Rows that name no sample of the project. Nothing of the part was kept.',
    fields: { count: ['Int', 'How many.'], samples: ['[String]', 'The first ones.'] },
  },
  PAYLOAD_TOO_LARGE: {
    about: 'Something is larger than the service takes.',
    fields: {
      what: ['String', 'What.'],
      bytes: ['Int', 'How large it is.'],
      limit: ['Int', 'How large it may be.'],
    },
  },
  WRONG_CLASS_COUNT: {
    about: 'The probabilities have another number of classes than the label set.',
    fields: { expected: ['Int', 'Classes of the project.'], actual: ['Int', 'Classes given.'] },
  },
  BAD_PROBABILITIES: {
    about: 'Rows with NaN, a value outside 0…1, or a sum off 1 by more than 0.001.',
    fields: { count: ['Int', 'How many rows.'], badRows: ['[BadRow]', 'The first ones.'] },
  },
  BAD_EMBEDDINGS: {
    about: 'Embeddings with a number that is not finite.',
    fields: { count: ['Int', 'How many rows.'], badRows: ['[BadRow]', 'The first ones.'] },
  },
  UNKNOWN_PART: {
    about: 'A part of predictions or embeddings that the service does not hold. Upload it again.',
    fields: { part: ['Int', 'Which one, from 0.'] },
  },
  ROUND_OPEN: {
    about: 'A round is open already. Wait until it has settled, or close it.',
    fields: { round: ['Int', 'Its number.'] },
  },
  NOTHING_TO_SELECT: {
    about: 'No sample is left that the strategy could choose.',
    fields: { unlabelled: ['Int', 'Samples that nobody has labelled or holds.'] },
  },
  UNKNOWN_STRATEGY: {
    about: 'No strategy has this name.',
    fields: {
      strategy: ['String', 'The name that nobody has.'],
      known: ['[String]', 'The names there are.'],
    },
  },
  BROKEN_STRATEGY: {
    about: "The strategy's file cannot be used.",
    fields: { strategy: ['String', 'Its name.'], problem: ['String', 'What is wrong with it.'] },
  },
  BAD_STRATEGY_PARAMETERS: {
    about: 'The strategy does not take these parameters.',
    fields: { strategy: ['String', 'Its name.'], issues: ['[String]', 'What it says of them.'] },
  },
  MISSING_STRATEGY_INPUT: {
    about: 'The strategy needs what the project does not have yet.',
    fields: { strategy: ['String', 'Its name.'], missing: ['String', 'What it needs.'] },
  },
  STRATEGY_FAILED: {
    about: 'The strategy threw, took too long, or broke its contract. No round was opened.',
    fields: { strategy: ['String', 'Its name.'], problem: ['String', 'What happened.'] },
  },
  ASSIGNMENT_CLOSED: {
    about: 'The assignment takes no answer.',
    fields: { assignmentState: ['String', 'What became of it.'] },
  },
  ALREADY_ANSWERED: {
    about: 'You gave another answer. Revise it, or undo it first.',
    fields: { answer: ['String', 'Your answer.'] },
  },
  UNDO_CLOSED: {
    about: 'The answer is not among those that can be undone or revised.',
    fields: { limit: ['Int', 'How many of your newest answers can be.'] },
  },
  INVITATION_CLOSED: {
    about: 'The invitation lets nobody in any more.',
    fields: { invitationState: ['String', 'Why: ACCEPTED, WITHDRAWN or EXPIRED.'] },
  },
  ERASED: {
    about: 'The person or the sample was erased: what was done stays, and nothing more can be.',
    fields: { what: ['String', 'What was erased: person or sample.'] },
  },
  BAD_CURSOR: {
    about: 'The cursor is not one of this stream.',
    fields: { problem: ['String', 'What is wrong with it.'] },
  },
  STORE_FULL: { about: 'The store has no space left. Nothing was kept.', fields: {} },
  STORE_UNAVAILABLE: {
    about: 'The store, or the node that decides, cannot be reached just now. The same call again is safe.',
    fields: {},
  },
};

const ErrorCode = enumType<RefusalCode>(
  'ErrorCode',
  'Every refusal there is. The same table stands in docs/errors.md.',
  Object.fromEntries(REFUSAL_CODES.map((code) => [code, FIELDS[code].about])) as Record<RefusalCode, string>,
);

const ErrorInterface = builder.interfaceRef<Refused>('Error').implement({
  description: 'Why something was refused. Nothing was changed.',
  fields: (t) => ({
    code: t.field({
      type: ErrorCode,
      description: 'Which refusal it is.',
      resolve: ({ refusal }) => refusal.code,
    }),
    message: t.string({
      description: 'What is wrong and what to do, for people to read.',
      resolve: ({ refusal }) => refusal.message,
    }),
  }),
});

/** The name of a refusal's type: UNKNOWN_LABEL is an UnknownLabelError. */
function typeName(code: RefusalCode): string {
  const words = code.toLowerCase().split('_');
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Error`;
}

const TYPES = new Map(
  REFUSAL_CODES.map((code) => {
    const { about, fields } = FIELDS[code];
    const ref = builder.objectRef<Refused>(typeName(code));
    ref.implement({
      description: about,
      interfaces: [ErrorInterface],
      isTypeOf: (value) => value instanceof Refused && value.refusal.code === code,
      fields: (t) =>
        Object.fromEntries(
          Object.entries<readonly [FieldKind, string]>(fields).map(([name, [kind, description]]) => [
            name,
            t.field({
              type: FIELD_TYPES[kind],
              description,
              resolve: ({ refusal }) => (refusal.details as Record<string, never>)[name] as never,
            }),
          ]),
        ),
    });
    return [code, ref] as const;
  }),
);

function refusalType(code: RefusalCode): ObjectRef<SchemaTypes, Refused> {
  return TYPES.get(code) as ObjectRef<SchemaTypes, Refused>;
}

/** What any mutation on a project may be refused with. */
const COMMON = ['NOT_FOUND', 'FORBIDDEN', 'INVALID_INPUT', 'STORE_FULL', 'STORE_UNAVAILABLE'] as const;

/**
 * Adds a mutation `name(input: …!): …Result!`.
 *
 * @param refusals what it can be refused with, beside what any can be
 * @param isForAnybody whether it can be given without a token
 * @param resolve gives the success, or throws a Refusal
 */
export function mutation<Input extends object, Success>(
  name: string,
  {
    description,
    input,
    success,
    refusals = [],
    isForAnybody = false,
    resolve,
  }: {
    readonly description: string;
    readonly input: InputObjectRef<SchemaTypes, Input>;
    readonly success: ObjectRef<SchemaTypes, Success>;
    readonly refusals?: readonly RefusalCode[];
    readonly isForAnybody?: boolean;
    readonly resolve: (input: Input, context: Context) => Promise<Success>;
  },
): void {
  const codes = new Set<RefusalCode>([...COMMON, ...refusals]);
  const union = builder.unionType(`${name.charAt(0).toUpperCase()}${name.slice(1)}Result`, {
    description: `What \`${name}\` comes to.`,
    types: [success as ObjectRef<SchemaTypes, object>, ...[...codes].map(refusalType)],
    resolveType: (value) => (value instanceof Refused ? typeName(value.refusal.code) : success.name),
  });
  builder.mutationField(name, (t) =>
    t.field({
      type: union,
      description,
      args: {
        input: t.arg({
          type: input as InputObjectRef<SchemaTypes, object>,
          required: true,
          description: 'What is wanted.',
        }),
      },
      resolve: async (_, args, context) => {
        // Nobody is told so whatever they ask for, be it there or not.
        if (!isForAnybody) viewerOf(context);
        try {
          return await resolve(args.input as Input, context);
        } catch (error) {
          // A refusal that the contract does not name is a fault of ours, and is treated as one.
          if (!(error instanceof Refusal && codes.has(error.code))) throw error;
          context.concord.environment.observer?.refusal(error.code);
          return new Refused(error);
        }
      },
    }),
  );
}
