/** Numbers for new jobs, tasks, sessions and artifacts. The store says where to begin; a number that was never committed may come again after a crash, unseen by anybody. */
import type { JobId, SessionId, TaskId } from '../scheduler/ids.ts'
import type { ArtifactId } from '../store/records.ts'

export class Ids {
  #job: number
  #task: number
  #session: number
  #artifact: number

  constructor(next: {
    readonly nextJobId: number
    readonly nextTaskId: number
    readonly nextSessionId: number
    readonly nextArtifactId: number
  }) {
    this.#job = next.nextJobId
    this.#task = next.nextTaskId
    this.#session = next.nextSessionId
    this.#artifact = next.nextArtifactId
  }

  job(): JobId {
    return this.#job++ as JobId
  }

  task(): TaskId {
    return this.#task++ as TaskId
  }

  session(): SessionId {
    return this.#session++ as SessionId
  }

  artifact(): ArtifactId {
    return this.#artifact++ as ArtifactId
  }
}
