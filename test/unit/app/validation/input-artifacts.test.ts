import { expect, test } from 'vitest'
import type { SubmitJobInput } from '../../../../src/app/app.ts'
import type { Artifacts } from '../../../../src/app/artifacts.ts'
import {
  artifactsNamedMax,
  findInputArtifacts,
  programArtifactsMax,
} from '../../../../src/app/validation/input-artifacts.ts'
import type { ArtifactId } from '../../../../src/store/records.ts'
import { artifactRecord } from '../../../support/artifacts.ts'

/** Every artifact below 10 is there. */
function artifacts() {
  const asked: ArtifactId[] = []
  const find = async (id: ArtifactId) => {
    asked.push(id)
    return id < 10 ? artifactRecord({ id }) : null
  }
  return { asked, artifacts: { find } as unknown as Artifacts }
}

function program(first: number, count: number): SubmitJobInput {
  const artifactIds = Array.from({ length: count }, (_, index) => (first + index) as ArtifactId)
  return { model: 'm', task: { program: { name: 'p', parameters: {}, artifactIds } } }
}

test('what several jobs name is looked up once, and what is unknown is left out', async () => {
  const { artifacts: all, asked } = artifacts()
  const found = await findInputArtifacts(all, [program(8, 3), program(8, 3)])
  expect(asked).toEqual([8, 9, 10])
  expect([...(found?.keys() ?? [])]).toEqual([8, 9])
})

test('a task that names more files than it may has no more looked up than it may', async () => {
  const { artifacts: all, asked } = artifacts()
  await findInputArtifacts(all, [program(1, 300_000)])
  expect(asked).toHaveLength(programArtifactsMax)
})

test('a submission that names too many files together has none looked up', async () => {
  const { artifacts: all, asked } = artifacts()
  const jobs = artifactsNamedMax / programArtifactsMax
  const inputs = Array.from({ length: jobs + 1 }, (_, job) =>
    program(1 + job * programArtifactsMax, programArtifactsMax),
  )
  expect(await findInputArtifacts(all, inputs.slice(0, jobs))).not.toBeNull()
  expect(asked).toHaveLength(artifactsNamedMax)
  expect(await findInputArtifacts(all, inputs)).toBeNull()
  expect(asked).toHaveLength(artifactsNamedMax)
})
