/** JSON that a caller may put anything into: bounded in depth, and of text that every encoder takes. */
import type { Problems } from './problems.ts'

const depthMax = 64

/** Every text inside `value`, names included, is looked at; problems carry the path of the place. */
export function checkJson(path: string, value: unknown, problems: Problems, depth = 0): void {
  if (problems.isFull) return
  if (depth > depthMax) {
    problems.add(path, `must not be nested deeper than ${depthMax} levels.`)
  } else if (typeof value === 'string') {
    problems.wellFormed(path, value)
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkJson(`${path}.${index}`, item, problems, depth + 1)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      problems.wellFormed(path, name)
      checkJson(`${path}.${name.toWellFormed()}`, member, problems, depth + 1)
    }
  }
}
