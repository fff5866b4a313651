import type { Audience } from '../service/access.ts';
import type { AnnotationView } from '../service/views.ts';
import { builder } from './builder.ts';
import { DrawEnum } from './draws.ts';
import { globalId } from './ids.ts';
import { MemberType } from './member.ts';
import { SuggestionModeEnum } from './policy.ts';
import { SHARED } from './sharing.ts';

interface Annotation {
  readonly access: Audience;
  readonly view: AnnotationView;
}

export const AnnotationType = builder.objectRef<Annotation>('Annotation').implement({
  extensions: SHARED,
  description: 'An answer with where it comes from, as owners and drivers see it.',
  fields: (t) => ({
    id: t.id({
      description: 'The id of the assignment that it answers.',
      resolve: ({ access, view }) => globalId('Assignment', access.live.id, view.id),
    }),
    member: t.field({
      type: MemberType,
      description: 'Who gave it.',
      resolve: ({ view }) => view.member,
    }),
    label: t.string({ description: 'The label.', resolve: ({ view }) => view.label }),
    answeredAt: t.field({
      type: 'DateTime',
      description: 'When it was given.',
      resolve: ({ view }) => view.answeredAt,
    }),
    milliseconds: t.float({
      nullable: true,
      description: "How long it took, as the annotator's program measured it; null if it did not.",
      resolve: ({ view }) => view.milliseconds,
    }),
    draw: t.field({ type: DrawEnum, description: 'Why it was asked.', resolve: ({ view }) => view.draw }),
    round: t.int({
      nullable: true,
      description: 'The number of the round that was open when it was asked; null: none.',
      resolve: ({ view }) => view.round,
    }),
    suggestion: t.string({
      nullable: true,
      description:
        "The model's label that was offered: `suggestions` says when; null: none was, as the policy hides it from a share of all work.",
      resolve: ({ view }) => view.suggestion,
    }),
    suggestions: t.field({
      type: SuggestionModeEnum,
      description: 'How the policy had suggestions when the sample was asked.',
      resolve: ({ view }) => view.mode,
    }),
    firstLabel: t.string({
      nullable: true,
      description:
        'The answer that was given before a suggestion was revealed. Agreement, audits and accuracy keep to it, whatever it was changed to. Null: none was revealed after an answer.',
      resolve: ({ view }) => view.firstLabel,
    }),
    movedToSuggestion: t.boolean({
      description: 'Whether it was changed to what was suggested, after that was revealed.',
      resolve: ({ view }) => view.movedToSuggestion,
    }),
    predictionRun: t.int({
      nullable: true,
      description: 'The number of the prediction run that was current when it was asked; null: none.',
      resolve: ({ view }) => view.run,
    }),
    predicted: t.string({
      nullable: true,
      description: 'What that run said of the sample, shown or not; null: nothing.',
      resolve: ({ view }) => view.predicted,
    }),
    counted: t.boolean({
      description:
        'Whether it counts; false: the sample had its answers already, and it is kept beside them.',
      resolve: ({ view }) => view.counted,
    }),
  }),
});
