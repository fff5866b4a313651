import { fileURLToPath } from 'node:url';

/** The package's folder, seen from `dist/bundle/http` as from `dist/src/http`. */
export const PACKAGE = new URL('../../../', import.meta.url);

/** The strategies that come with Concord. */
export const OWN_PLUGINS = fileURLToPath(new URL('plugins', PACKAGE));
