/** Filters of decisions and allocations as conditions of queries. A list is one parameter, so that there are few texts of SQL. */
import type { DecisionFilter } from '../../scheduler/explain/decisions.ts'
import { sqlName } from '../columns.ts'
import type { AllocationFilter } from '../store.ts'
import type { Condition } from './job-filter.ts'

export function decisionCondition({ kinds, jobId, versionIds, deviceId, from, to }: DecisionFilter): Condition {
  return and([
    among('kind', kinds),
    compared('jobId', '=', jobId),
    among('versionId', versionIds),
    compared('deviceId', '=', deviceId),
    compared('at', '>=', from),
    compared('at', '<=', to),
  ])
}

export function allocationCondition({ deviceId, jobId, states, purposes }: AllocationFilter): Condition {
  return and([
    compared('deviceId', '=', deviceId),
    compared('jobId', '=', jobId),
    among('state', states),
    among('purpose', purposes),
  ])
}

function compared(column: string, operator: '=' | '>=' | '<=', value: number | undefined): Condition | null {
  return value === undefined ? null : { sql: `${sqlName(column)} ${operator} ?`, values: [value] }
}

function among(column: string, wanted: readonly (string | number)[] | undefined): Condition | null {
  if (!wanted) return null
  return { sql: `${sqlName(column)} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(wanted)] }
}

function and(terms: readonly (Condition | null)[]): Condition {
  const given = terms.filter((term) => term !== null)
  if (given.length === 0) return { sql: 'TRUE', values: [] }
  return { sql: given.map(({ sql }) => sql).join(' AND '), values: given.flatMap(({ values }) => values) }
}
