/** The text of .env.example: every setting with its description and default, commented out. */
import { settings } from './config.ts'

export function envExample(): string {
  const defaults = settings.parse({})
  const entries = Object.entries(settings.shape).map(([name, schema]) => {
    const value = defaults[name as keyof typeof defaults]
    return `# ${schema.description ?? ''}\n#${name}=${String(value)}\n`
  })
  return [heading, ...entries].join('\n')
}

const heading = `# Settings of the server: environment variables, with their defaults. Made by \`npm run schema\`.\n`
