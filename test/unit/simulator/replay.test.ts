import { describe, expect, test } from 'vitest'
import { createState, step } from '../../../src/scheduler/core.ts'
import type { SchedulerEvent } from '../../../src/scheduler/events.ts'
import type { DeviceId, JobId, TaskId, VersionId } from '../../../src/scheduler/ids.ts'
import { defaultSettings } from '../../../src/scheduler/settings.ts'
import { recordLine, recordOpening } from '../../../src/scheduler/snapshot/recording.ts'
import { replay } from '../../../src/simulator/replay.ts'

function recording(): string[] {
  const state = createState(defaultSettings, 1)
  const lines = [recordOpening(state)]
  const versionId = 1 as VersionId
  const steps = { batchLimit: 1, holdMs: 0, interruptAfterMs: 5, componentBytes: [1000], componentNames: ['model'] }
  const events: SchedulerEvent[] = [
    {
      type: 'deviceAdded',
      device: { deviceId: 1 as DeviceId, name: 'cpu', limitBytes: 1e9, coreCount: 1, workerThreads: 1 },
    },
    {
      type: 'versionRegistered',
      version: { versionId, modelName: 'm', engine: 'onnx', weightsBytes: 1000, workingBytes: 0, ...steps },
    },
    {
      type: 'jobsSubmitted',
      jobs: [
        {
          jobId: 1 as JobId,
          userId: null,
          sessionId: null,
          weight: 1,
          work: 1,
          class: 'batch',
          submittedAt: 1,
          deadlineAt: 50,
          tasks: [{ taskId: 1 as TaskId, versionId, after: [], stage: 'inference', isHeld: false, components: [0] }],
        },
      ],
    },
  ]
  events.forEach((event, now) => lines.push(recordLine(now, event, step(state, event, now))))
  return lines
}

describe('a replay', () => {
  test('of a true recording finds no difference', () => {
    expect(replay(recording())).toEqual({ steps: 3, difference: null })
  })

  test('reports the first line that comes out otherwise', () => {
    const lines = recording()
    lines[2] = lines[2]!.replace('"engine":"onnx","spare":false', '"engine":"onnx","spare":true')
    expect(replay(lines).difference).toMatchObject({
      line: 3,
      recorded: expect.stringContaining('"spare":true'),
      replayed: expect.stringContaining('"spare":false'),
    })
  })

  test('ends at a line that was never finished', () => {
    const lines = recording()
    lines[3] = lines[3]!.slice(0, 40)
    expect(replay(lines)).toEqual({ steps: 2, difference: null })
  })

  test('needs a state to begin with', () => {
    expect(() => replay(recording().slice(1))).toThrow('begins with a snapshot')
  })
})
