/** The service stops: what was under way is given up, and nothing of it was kept. The same call may be made again. */
export class ServiceStoppingError extends Error {
  override name = 'ServiceStoppingError';

  constructor() {
    super(
      'The service is stopping, and has given this up. Nothing was changed: do the same again in a moment.',
    );
  }
}
