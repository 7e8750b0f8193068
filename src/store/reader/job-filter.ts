/**
 * A JobFilter as the condition of a query. A list is one parameter, so that there are few texts of SQL however long lists are. The terms on
 * `finished_at` and `state` are there so that the partial indexes apply.
 */
import { sqlName } from '../columns.ts'
import { type JobState, terminalStates } from '../records.ts'
import type { JobFilter } from '../store.ts'

export interface Condition {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

const unsuccessfulStates: readonly JobState[] = ['FAILED', 'CANCELLED']

export function conditionOf(filter: JobFilter): Condition {
  const terms: string[] = []
  const values: (string | number)[] = []
  const compare = (column: string, operator: '=' | '>' | '<', value: string | number | undefined) => {
    if (value === undefined) return
    terms.push(`${sqlName(column)} ${operator} ?`)
    values.push(value)
  }
  compare('sessionId', '=', filter.sessionId)
  compare('class', '=', filter.class)
  compare('modelId', '=', filter.modelId)
  compare('taskKind', '=', filter.taskKind)
  compare('createdAt', '>', filter.createdAfter)
  compare('createdAt', '<', filter.createdBefore)
  if (filter.states) {
    terms.push(...stateTerms(filter.states))
    values.push(JSON.stringify([...new Set(filter.states)]))
  }
  return { sql: terms.length > 0 ? terms.join(' AND ') : 'TRUE', values }
}

function stateTerms(states: readonly JobState[]): string[] {
  const wanted = 'state IN (SELECT value FROM json_each(?))'
  if (states.every((state) => unsuccessfulStates.includes(state))) return [wanted, `state IN ('FAILED', 'CANCELLED')`]
  if (!states.some((state) => terminalStates.some((terminal) => terminal === state)))
    return [wanted, 'finished_at IS NULL']
  return [wanted]
}
