/** What must hold over time: kept from the events and commands alone, as somebody outside the scheduler sees them. */

import type { Command } from '../commands.ts'
import type { SchedulerEvent } from '../events.ts'
import type { JobId } from '../ids.ts'
import { JobAudit } from './audit-jobs.ts'
import { MemoryAudit } from './audit-memory.ts'
import { TaskAudit } from './audit-tasks.ts'
import { WorkerAudit } from './audit-workers.ts'
import type { Expect } from './expect.ts'

export interface AuditPart {
  takeEvent(event: SchedulerEvent): void
  takeCommand(command: Command): void
  /** All that an event has brought about has been seen. */
  settle(): void
}

export class Audit {
  /** Problems found so far, in sentences. */
  readonly problems: string[] = []
  readonly #jobs: JobAudit
  readonly #parts: readonly AuditPart[]

  constructor({ weightsShare }: { readonly weightsShare: number }) {
    const expect: Expect = (holds, problem) => {
      if (!holds) this.problems.push(problem)
    }
    this.#jobs = new JobAudit(expect)
    const tasks = new TaskAudit(this.#jobs, expect)
    this.#parts = [new WorkerAudit(expect), this.#jobs, tasks, new MemoryAudit(weightsShare, expect)]
  }

  /** Jobs that have not ended. */
  get unfinished(): ReadonlySet<JobId> {
    return this.#jobs.live
  }

  observe(event: SchedulerEvent, commands: readonly Command[]): void {
    for (const part of this.#parts) part.takeEvent(event)
    for (const command of commands) for (const part of this.#parts) part.takeCommand(command)
    for (const part of this.#parts) part.settle()
  }
}
