/** STEP_TIMES: how long steps lasted, by model, node, shape and number of states, and which of them did not fit into memory. */
import type { StepSample } from '../../scheduler/events.ts'
import type { VersionId } from '../../scheduler/ids.ts'
import type { Frame } from './frame.ts'
import {
  asMap,
  countField,
  decodeMetadata,
  durationField,
  listField,
  type Metadata,
  optionalCountField,
  textField,
} from './metadata.ts'
import { ProtocolError } from './protocol-error.ts'

export type LargeStep = Pick<StepSample, 'node' | 'shape' | 'states'>

type OfVersion<Step> = Step & { readonly versionId: VersionId }

export interface StepTimes {
  readonly kind: 'stepTimes'
  readonly times: readonly OfVersion<StepSample>[]
  readonly tooLarge: readonly OfVersion<LargeStep>[]
}

/** Throws ProtocolError. */
export function readStepTimes(frame: Frame): StepTimes {
  const map = decodeMetadata(frame.meta, 'STEP_TIMES')
  const tooLarge = map['tooLarge'] == null ? [] : listField(map, 'tooLarge', 'STEP_TIMES')
  return {
    kind: 'stepTimes',
    times: listField(map, 'times', 'STEP_TIMES').map(readTime),
    tooLarge: tooLarge.map((entry) => readStep(asMap(entry, 'a step'))),
  }
}

/** What is told of each version apart, in the order in which the worker named them. */
export function* byVersion({ times, tooLarge }: StepTimes): Generator<{
  readonly versionId: VersionId
  readonly samples: readonly StepSample[]
  readonly tooLarge: readonly LargeStep[]
}> {
  for (const versionId of new Set([...times, ...tooLarge].map((step) => step.versionId))) {
    const isOfVersion = (step: OfVersion<LargeStep>) => step.versionId === versionId
    yield {
      versionId,
      samples: times
        .filter(isOfVersion)
        .map(({ node, shape, states, steps, ms, peakBytes }) => ({ node, shape, states, steps, ms, peakBytes })),
      tooLarge: tooLarge.filter(isOfVersion).map(({ node, shape, states }) => ({ node, shape, states })),
    }
  }
}

function readTime(value: unknown): OfVersion<StepSample> {
  const entry = asMap(value, 'a step')
  return {
    ...readStep(entry),
    steps: positiveField(entry, 'steps'),
    ms: durationField(entry, 'ms', 'a step'),
    peakBytes: optionalCountField(entry, 'peakBytes', 'a step'),
  }
}

function readStep(entry: Metadata): OfVersion<LargeStep> {
  return {
    versionId: countField(entry, 'model', 'a step') as VersionId,
    node: textField(entry, 'node', 'a step'),
    shape: textField(entry, 'shape', 'a step'),
    states: positiveField(entry, 'states'),
  }
}

function positiveField(entry: Metadata, name: string): number {
  const value = countField(entry, name, 'a step')
  if (value > 0) return value
  throw new ProtocolError('metadata', `\`${name}\` of a step must be an integer from 1, not 0.`)
}
