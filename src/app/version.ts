/** The program's own version, from package.json, so that it is written in one place. */
import packageJson from '../../package.json' with { type: 'json' }

export const version: string = packageJson.version
