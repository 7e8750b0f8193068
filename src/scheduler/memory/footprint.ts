/** What models take on a device, and which of them nobody uses. */
import { boundHere } from '../admission/bound-lanes.ts'
import { backlogOf, type LiveResidency, type Version } from '../state.ts'

/** What a version takes on a device: as measured where it has been resident before, else as planned. */
export function bytesOf(version: Version): { readonly weightsBytes: number; readonly workingBytes: number } {
  const { learnt, spec } = version
  return {
    weightsBytes: learnt.weightsBytes ?? spec.weightsBytes,
    workingBytes: learnt.workingBytes ?? spec.workingBytes,
  }
}

/** Nothing uses it and nothing waits for it; what is paused there can be kept elsewhere. */
export function isIdle(residency: LiveResidency): boolean {
  const { version, worker, state, admitted, lanes } = residency
  const bound = boundHere(residency)
  const waiting =
    backlogOf(version) +
    lanes.interactive.size +
    lanes.batch.size +
    (bound ? bound.interactive.size + bound.batch.size : 0)
  return state === 'resident' && admitted === 0 && waiting === 0 && worker.alone?.version !== version
}
