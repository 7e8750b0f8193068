/** Why a model is not registered: what was found is not what was asked for, its name is taken, or there are too many. */
import type { FoundModel } from '../runtime/models/found-model.ts'
import { Conflict, Overloaded } from './errors.ts'

export interface ReadingProblem {
  readonly field: 'path' | 'expectedSha256'
  readonly problem: string
}

/** Null when it is what was asked for, and can run. */
export function refusalOf(found: FoundModel, expectedSha256: string | null): ReadingProblem | null {
  if (found.problem !== null) return { field: 'path', problem: found.problem }
  if (expectedSha256 === null) return null
  const isFile = found.manifestFile === null
  const measured = isFile ? found.files[0]?.sha256 : found.sha256
  if (measured === expectedSha256) return null
  const whose = isFile ? `${found.files[0]?.path} has` : 'its manifest and files together have'
  return {
    field: 'expectedSha256',
    problem: `${whose} the digest ${measured}; expected was ${expectedSha256}. Fetch it again, or check the digest.`,
  }
}

export function takenName(name: string, path: string): Conflict {
  return new Conflict(
    `The name ${name} is taken by ${path}. Give another \`name\`; or replace that model by moving the new files over its own, which become its next version; or remove them, and register again.`,
  )
}

const retryWhenFullMs = 5000

export function tooManyReadings(readings: number): Overloaded {
  return new Overloaded(
    'verifying',
    retryWhenFullMs,
    `${readings} models are being read already; register this one when one of them is done.`,
  )
}

export function tooManyModels(known: number): Overloaded {
  return new Overloaded(
    'models',
    retryWhenFullMs,
    `There are ${known} models, as many as are allowed; raise HEARTH_MODEL_LIMIT to register more.`,
  )
}
