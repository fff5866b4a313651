import type { CommandOption } from './command.ts';

/** What every command needs that works on a project of a running service. */

export const URL_OPTION = {
  placeholder: 'URL',
  help: 'the GraphQL endpoint of the service',
  env: 'CONCORD_URL',
  fallback: 'http://127.0.0.1:4000/graphql',
} as const satisfies CommandOption;

export const TOKEN_OPTION = {
  placeholder: 'TOKEN',
  help: 'your token; as a variable, other users of the machine do not see it',
  env: 'CONCORD_TOKEN',
} as const satisfies CommandOption;

export const PROJECT_OPTION = {
  placeholder: 'PROJECT',
  help: 'the project, by id or by name',
} as const satisfies CommandOption;
