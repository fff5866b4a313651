import type { Counted } from '../domain/changeTest.ts';
import type { Withheld } from '../domain/workFigures.ts';
import { builder, enumType } from './builder.ts';
import { SHARED } from './sharing.ts';

/** What figures of several concepts are made of. */

export const IntervalType = builder
  .objectRef<{ readonly lower: number; readonly upper: number }>('Interval')
  .implement({
    extensions: SHARED,
    description: 'A 95 % interval.',
    fields: (t) => ({
      lower: t.exposeFloat('lower', { description: 'Its lower bound.' }),
      upper: t.exposeFloat('upper', { description: 'Its upper bound.' }),
    }),
  });

export const CountedType = builder.objectRef<Counted>('ComparedAnswers').implement({
  extensions: SHARED,
  description: 'Answers that were compared.',
  fields: (t) => ({
    answers: t.exposeInt('answers', { description: 'How many.' }),
    agreeing: t.exposeInt('agreeing', { description: 'Those that are the same.' }),
  }),
});

const WithheldReasonEnum = enumType('WithheldReason', 'Why a figure is held back.', {
  TOO_FEW: 'It rests on fewer than it takes.',
});

export const WithheldType = builder.objectRef<Withheld>('WithheldFigure').implement({
  extensions: SHARED,
  description: 'A figure that is held back.',
  fields: (t) => ({
    reason: t.expose('withheld', { type: WithheldReasonEnum, description: 'Why.' }),
    n: t.exposeInt('n', { description: 'On how many it would rest.' }),
    needed: t.exposeInt('needed', { description: 'How many it takes.' }),
  }),
});

/** Which type a union's value is of: a figure, or that it is held back. */
export const withheldOr = <T extends string>(name: T) => ({
  resolveType: (figure: object) => ('withheld' in figure ? 'WithheldFigure' : name),
});
