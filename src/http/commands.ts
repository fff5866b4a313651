import type { Command, CommandOption } from './command.ts';
import { PROJECT_OPTION, TOKEN_OPTION, URL_OPTION } from './remoteOptions.ts';

const STORE = {
  placeholder: 'LOCATION',
  help: 'the store: a folder, or mongodb://…',
  env: 'CONCORD_STORE',
  fallback: './data',
} as const satisfies CommandOption;

/** Makes one command, so that its options and what it runs are checked against each other. */
function command<Name extends string>(definition: Command<Name>): Command {
  return definition as Command;
}

/**
 * The commands beside the service itself. What they run is loaded only then: whoever asks for help need not wait for it.
 */
export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  [
    'verify',
    command({
      summary: 'look a store through for damage',
      about: `Folds the journal of each project from its first commit, compares that with what a start would load
from the project's snapshot, and reads every chunk that a commit names. The service may be running.
Prints a line for each project; exits with 1 if anything is wrong.`,
      options: { store: STORE },
      rest: '[PROJECT…]',
      run: async (given, projects) => (await import('./verify.ts')).verify(given, projects),
    }),
  ],
  [
    'replay',
    command({
      summary: 'run a past round again, or another strategy in its place',
      about: `Brings the project back to where the strategy of round N chose, lets it choose again with what it was
given then, and compares. With --strategy, another one chooses from the same pool. The service may be running.
Exits with 1 if the round was not chosen the same, or cannot be run again.`,
      options: {
        store: STORE,
        plugins: {
          placeholder: 'FOLDER',
          help: 'folder of strategies, added to those that come with Concord',
          env: 'CONCORD_PLUGINS',
          isList: true,
          fallback: '',
        },
        strategy: { placeholder: 'NAME', help: 'another strategy, to compare', fallback: '' },
        parameters: { placeholder: 'JSON', help: 'the parameters of that strategy', fallback: '' },
      },
      rest: 'PROJECT N',
      run: async (given, rest) => (await import('./replay.ts')).replay(given, rest),
    }),
  ],
  [
    'backup',
    command({
      summary: 'copy a whole store while it is in use',
      about: `Writes the store, as it is at one moment, to a folder that it makes. The service may be running.
The backup is a store: \`concord verify --store FOLDER\` looks it through.`,
      options: { store: STORE, to: { placeholder: 'FOLDER', help: 'where to; made, or empty' } },
      rest: null,
      run: async (given) => (await import('./backup.ts')).backup(given),
    }),
  ],
  [
    'restore',
    command({
      summary: 'make a store from a backup',
      about: 'Makes a store of what `concord backup` has written. Refuses a store that has something in it.',
      options: {
        from: { placeholder: 'FOLDER', help: 'the backup' },
        store: { placeholder: 'LOCATION', help: 'the store to make: a folder, or mongodb://…' },
      },
      rest: null,
      run: async (given) => (await import('./backup.ts')).restore(given),
    }),
  ],
  [
    'copy',
    command({
      summary: 'copy projects from one store to another',
      about: `Copies projects, named by id or by name, with everybody in them; without names, all of a store. Each is
compared with the original afterwards. Nothing is overwritten, and what is there already and the same is
left, so a copy that was cut short is made again. The service may be running on what is copied from, and
not on a folder that is copied to.`,
      options: {
        from: { placeholder: 'LOCATION', help: 'the store to copy from: a folder, or mongodb://…' },
        to: { placeholder: 'LOCATION', help: 'the store to copy to, likewise; a folder is made if missing' },
      },
      rest: '[PROJECT…]',
      run: async (given, projects) => (await import('./copy.ts')).copy(given, projects),
    }),
  ],
  [
    'import',
    command({
      summary: 'import samples from files into a project',
      about: `Imports samples from CSV, NDJSON or Label Studio's JSON into a project of a running service. A sample that
is there already, with the same data, is left as it is: a file that has grown, or an import that was cut
short (Ctrl-C is safe), is imported again. Answers and predictions in a file are counted and left out.
docs/formats.md tells what each format holds.`,
      options: {
        url: URL_OPTION,
        token: TOKEN_OPTION,
        project: PROJECT_OPTION,
        format: {
          placeholder: 'FORMAT',
          help: 'csv, ndjson or label-studio; without it, the name of the file tells',
          fallback: '',
        },
        key: {
          placeholder: 'FIELD',
          help: 'where the key of a sample is: `key`, and in Label Studio the id; # numbers them',
          fallback: '',
        },
      },
      rest: 'FILE…',
      run: async (given, files) => (await import('./import.ts')).importFiles(given, files),
    }),
  ],
  [
    'export',
    command({
      summary: 'export the samples of a project with their labels',
      about: `Writes every sample with its answers, where they come from, and their consensus, as CSV, NDJSON or Label
Studio's JSON: to a file, or to standard output. The file is there once it is whole; an export that was cut
short goes on when it is run again. docs/formats.md tells what each format holds.`,
      options: {
        url: URL_OPTION,
        token: TOKEN_OPTION,
        project: PROJECT_OPTION,
        to: { placeholder: 'FILE', help: 'where to; without it, to standard output', fallback: '' },
        format: {
          placeholder: 'FORMAT',
          help: 'csv, ndjson or label-studio; without it, the name of the file tells, or ndjson',
          fallback: '',
        },
        after: { placeholder: 'CURSOR', help: 'begin behind this cursor', fallback: '' },
        names: { placeholder: 'yes|no', help: 'names of people beside their ids', fallback: 'no' },
        rows: {
          placeholder: 'WHAT',
          help: 'what a row of CSV is: annotations, or samples with their consensus',
          fallback: 'annotations',
        },
        control: { placeholder: 'NAME', help: 'from_name in Label Studio', fallback: 'label' },
        object: { placeholder: 'NAME', help: 'to_name in Label Studio', fallback: 'text' },
      },
      rest: null,
      run: async (given) => (await import('./export.ts')).exportProject(given),
    }),
  ],
  [
    'report',
    command({
      summary: 'tell how a project stands, and what to do next',
      about: `Writes cost, learning curve, agreement over time, what and who is mixed up, audits and drift, and what to do
next: as JSON to standard output, or to a file as JSON or as one page that needs nothing else.`,
      options: {
        url: URL_OPTION,
        token: TOKEN_OPTION,
        to: { placeholder: 'FILE', help: 'a file that ends in .html or .json', fallback: '' },
      },
      rest: 'PROJECT',
      run: async (given, projects) => (await import('./report.ts')).report(given, projects),
    }),
  ],
  [
    'token',
    command({
      summary: 'make, list, end and rotate tokens',
      about: `ACTION is one of:
  create MEMBER   a further token for a member of --project, by id or name; it is printed this once
  list            the tokens that open --project, or without it your own: never the secrets
  expire TOKEN    has one run out in --days, or at once with 0
  revoke TOKEN    ends one, and the connections that it has opened, within a second
  rotate [TOKEN]  makes one in the place of another, or of your own; the old one runs out after --overlap`,
      options: {
        url: URL_OPTION,
        token: TOKEN_OPTION,
        project: { ...PROJECT_OPTION, fallback: '' },
        days: { placeholder: 'DAYS', help: 'after how many days it runs out', fallback: '' },
        label: { placeholder: 'TEXT', help: 'what a new one is for', fallback: '' },
        role: { placeholder: 'ROLE', help: 'the most that a new one may do', fallback: '' },
        only: { placeholder: 'yes|no', help: 'whether a new one opens --project alone', fallback: 'no' },
        overlap: { placeholder: 'MINUTES', help: 'for how long a rotated one stays good', fallback: '60' },
      },
      rest: 'ACTION [MEMBER|TOKEN]',
      run: async (given, rest) => (await import('./tokenCommand.ts')).tokenCommand(given, rest),
    }),
  ],
  [
    'invitation',
    command({
      summary: 'invite people into a project, and come in',
      about: `ACTION is one of:
  create               makes a code that lets one person into --project; it is printed, and never shown again
  list                 the invitations into --project: never the codes
  withdraw INVITATION  takes one back that nobody has accepted
  accept CODE NAME     comes in by a code, as NAME, and prints your token, this once. It needs no --token`,
      options: {
        url: URL_OPTION,
        token: { ...TOKEN_OPTION, fallback: '' },
        project: { ...PROJECT_OPTION, fallback: '' },
        role: {
          placeholder: 'ROLE',
          help: 'what they may do: annotator, driver or viewer',
          fallback: 'annotator',
        },
        label: { placeholder: 'TEXT', help: 'whom it is for', fallback: '' },
        days: { placeholder: 'DAYS', help: 'after how many days the code runs out', fallback: '7' },
        'token-days': { placeholder: 'DAYS', help: 'after how many days their token does', fallback: '' },
      },
      rest: 'ACTION [INVITATION | CODE NAME]',
      run: async (given, rest) => (await import('./invitationCommand.ts')).invitationCommand(given, rest),
    }),
  ],
  [
    'erase',
    command({
      summary: 'erase a person or samples for good, while all figures stay',
      about: `Erases, once --yes yes is said:
  person MEMBER   the name of a member of --project, by id or name, and what tokens and invitations say of
                  them. Their tokens end, and they leave every project; what they did stays under their id
  samples KEY…    what samples of --project hold. Nobody is asked about them any more; what was answered stays
docs/operations.md tells what is left where, and of backups.`,
      options: {
        url: URL_OPTION,
        token: TOKEN_OPTION,
        project: PROJECT_OPTION,
        reason: {
          placeholder: 'WHY',
          help: 'no-longer-needed, consent-withdrawn, objection, unlawful, legal-duty',
        },
        yes: { placeholder: 'yes|no', help: 'whether to do it', fallback: 'no' },
      },
      rest: 'person MEMBER | samples KEY…',
      run: async (given, rest) => (await import('./eraseCommand.ts')).eraseCommand(given, rest),
    }),
  ],
  [
    'new-strategy',
    command({
      summary: 'write a strategy plugin to begin with, and its test',
      about: `Writes NAME.ts, which runs as it is, and NAME.test.ts, which holds it to what every strategy promises.
Nothing is overwritten. docs/strategies.md tells what a plugin may do.`,
      options: {
        folder: {
          placeholder: 'FOLDER',
          help: 'the folder of plugins; made if it is missing',
          fallback: './plugins',
        },
      },
      rest: 'NAME',
      run: async (given, names) => (await import('./newStrategy.ts')).newStrategy(given, names),
    }),
  ],
  [
    'check-strategy',
    command({
      summary: 'hold a strategy plugin to what every strategy promises',
      about: `Runs the conformance suite over one plugin: repeatable under its seed, the same however rows are split,
within its bounds, and so on. PLUGIN is a file or a folder; those beside it, and those that come with
Concord, are there to be asked. Exits with 1 if a promise is broken.`,
      options: {
        parameters: { placeholder: 'JSON', help: 'what its schema is given', fallback: '{}' },
      },
      rest: 'PLUGIN',
      run: async (given, files) => (await import('./checkStrategy.ts')).checkStrategy(given, files),
    }),
  ],
  [
    'try-strategy',
    command({
      summary: 'run a strategy plugin over predictions from a file',
      about: `Runs one plugin in a worker, as the service does, over numbers that numpy.save wrote, and prints the top
samples, the time and the memory. PLUGIN is a file or a folder; those beside it, and those that come with
Concord, are there to be asked. PROBABILITIES.npy holds samples × classes.`,
      options: {
        count: { placeholder: 'NUMBER', help: 'how many samples to choose', fallback: '10' },
        seed: { placeholder: 'NUMBER', help: 'a whole number below 2^32', fallback: '1' },
        parameters: { placeholder: 'JSON', help: 'what its schema is given', fallback: '{}' },
        embeddings: { placeholder: 'FILE.npy', help: 'samples × dimensions, if it needs them', fallback: '' },
        passes: {
          placeholder: 'FILE.npy',
          help: 'passes × samples × classes, if it needs them',
          fallback: '',
        },
        labels: {
          placeholder: 'FILE.npy',
          help: 'the class of each sample, −1 where it has none yet',
          fallback: '',
        },
      },
      rest: 'PLUGIN PROBABILITIES.npy',
      run: async (given, files) => (await import('./tryStrategy.ts')).tryStrategy(given, files),
    }),
  ],
]);
