/** Files change, and each content is a version of its own: what was learnt of those that nobody registers any more does not add up for ever. */
import type { VersionId } from '../ids.ts'
import type { SchedulerState } from '../state.ts'

/** The version is here again, so it is the last to be forgotten; who has been away the longest is the first, when there are too many. */
export function remember(state: SchedulerState, versionId: VersionId): void {
  const { learnt, settings } = state
  const facts = learnt.get(versionId)
  if (!facts) return
  learnt.delete(versionId)
  learnt.set(versionId, facts)
  for (const known of learnt.keys()) {
    if (learnt.size <= settings.learntVersionsMax) return
    if (!state.versions.has(known)) forget(state, known)
  }
}

function forget({ learnt, nodeSteps }: SchedulerState, versionId: VersionId): void {
  learnt.delete(versionId)
  nodeSteps.delete(versionId)
}
