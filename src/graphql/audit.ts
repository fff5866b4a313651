import { wilson } from '../domain/confidence.ts';
import { heldOutAnswers, suggestedThreshold } from '../domain/suggestedThreshold.ts';
import type { Audience } from '../service/access.ts';
import { mapSource } from '../service/source.ts';
import { auditSource } from '../service/states.ts';
import type { AuditView, ClassAuditView } from '../service/views.ts';
import { builder } from './builder.ts';
import { IntervalType } from './figures.ts';
import { FIGURES, RunType } from './predictions.ts';
import { ProjectType } from './project.ts';
import { SHARED, sharedStream } from './sharing.ts';
import { maySee } from './visibility.ts';

const ClassAuditType = builder.objectRef<ClassAuditView>('ClassAudit').implement({
  extensions: SHARED,
  description: 'What audits have shown of one predicted class.',
  fields: (t) => ({
    label: t.exposeString('name', { description: 'The class that was predicted.' }),
    accepted: t.exposeInt('accepted', { description: 'Unlabelled samples auto-accepted as of this class.' }),
    audited: t.exposeInt('audited', {
      description: 'Audits of it that are answered, those for the floor of the class included.',
    }),
    errors: t.exposeInt('errors', { description: 'Answers that differ from the prediction.' }),
    errorInterval: t.field({
      type: IntervalType,
      nullable: true,
      description: 'Wilson interval of the error rate within the class; null before the first answer.',
      resolve: ({ audited, errors }) => (audited === 0 ? null : wilson(errors, audited)),
    }),
  }),
});

builder.objectFields(RunType, (t) => ({
  errorBounds: t.expose('errorBounds', {
    type: IntervalType,
    description:
      'The bounds by which the run is judged: a confidence sequence, which holds the true error rate at all times with 95 %, however often one looks.',
  }),
  floorAudits: t.exposeInt('floorAudits', {
    description:
      'Audits drawn beside those for predicted classes that had too few; the run is not judged by them.',
  }),
  classAudits: t.field({
    type: [ClassAuditType],
    description: 'Of each predicted class of which something was accepted.',
    resolve: ({ classAudits }) => [...classAudits],
  }),
}));

builder.objectField(ProjectType, 'suggestedThreshold', (t) =>
  t.field({
    type: 'Float',
    nullable: true,
    description:
      'The lowest confidence from which the current model keeps the error limit, with 95 %, by audits and random draws whose prediction was hidden; null if there is none yet, and to annotators.',
    resolve: (access) => {
      if (!maySee(access, FIGURES)) return null;
      return access.live.read((project) => {
        const { currentRun, policy } = project;
        const accepted = currentRun?.published.threshold ?? null;
        return suggestedThreshold(heldOutAnswers(project), accepted, policy.audit.errorLimit);
      });
    },
  }),
);

interface AuditState {
  readonly access: Audience;
  readonly view: AuditView;
}

const AuditStateType = builder.objectRef<AuditState>('AuditState').implement({
  extensions: SHARED,
  description: 'How the audits of the current prediction run stand.',
  fields: (t) => ({
    seq: t.int({ description: 'The commit at which it stands.', resolve: ({ view }) => view.seq }),
    run: t.field({
      type: RunType,
      nullable: true,
      description: 'The run; null before the first.',
      resolve: ({ access, view: { run } }) => (run === null ? null : { ...run, access }),
    }),
  }),
});

builder.subscriptionField('audit', (t) =>
  t.field({
    type: AuditStateType,
    description:
      'State: what audits show of the current prediction run, and whether auto-accept is suspended. Not for annotators.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    ...sharedStream({
      allowed: FIGURES,
      open: (_, access) => mapSource(auditSource(access), (view) => ({ access, view })),
    }),
  }),
);
