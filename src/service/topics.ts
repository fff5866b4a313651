/** What there is to follow at the hub, beside a project, whose topic is its id. */

/** The topic of the directory's changes: members, roles, tokens. */
export const DIRECTORY_TOPIC = 'directory';
/** The topic of the strategies that there are. */
export const STRATEGIES_TOPIC = 'strategies';
/** The topic of who is in a project, which changes without any commit. */
export const presenceTopic = (project: string) => `presence of ${project}`;
