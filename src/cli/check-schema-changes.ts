/**
 * Compares schema.graphql with the released one: that of the last tag v*, or, where no tag is known, schema/released.graphql, which is
 * written at a release (`npm run schema -- --release`).
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSchema } from 'graphql'
import { type AcceptedChange, problemsOf, schemaChanges } from './schema-changes.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

const { name, text } = released()
const changes = schemaChanges(buildSchema(text), buildSchema(read('schema.graphql')))
const problems = problemsOf(changes, JSON.parse(read('schema/accepted-changes.json')) as readonly AcceptedChange[])

console.log(
  `Since ${name}: ${changes.breaking.length} changes that break clients, ${changes.dangerous.length} that may, ${changes.safeCount} that do not.`,
)
for (const change of changes.dangerous) console.log(`  may break: ${change}`)
for (const problem of problems) console.error(`  ${problem}`)
if (problems.length > 0) {
  console.error('Add beside the old instead, or accept the change in schema/accepted-changes.json with its reason.')
  process.exitCode = 1
}

function released(): { readonly name: string; readonly text: string } {
  const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v*')?.trim()
  const text = tag === undefined ? null : git('show', `${tag}:schema.graphql`)
  if (tag !== undefined && text !== null) return { name: tag, text }
  return { name: 'schema/released.graphql', text: read('schema/released.graphql') }
}

/** Null where there is no repository, no tag, or nothing in it: a downloaded archive, a shallow clone. */
function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return null
  }
}
