/** Workers and what is loaded in them: nobody speaks to one that is not there, nothing is loaded that must not be, leases are given and taken in turn. */

import type { Command } from '../commands.ts'
import type { SchedulerEvent } from '../events.ts'
import type { VersionId, WorkerId } from '../ids.ts'
import type { AuditPart } from './audit.ts'
import type { Expect } from './expect.ts'

export class WorkerAudit implements AuditPart {
  readonly #workers = new Set<WorkerId>()
  readonly #withoutLease = new Set<WorkerId>()
  /** Versions whose files are being read again, or are gone: nothing may load them. */
  readonly #unloadable = new Map<VersionId, 'checking' | 'gone'>()
  readonly #expect: Expect
  #isDraining = false

  constructor(expect: Expect) {
    this.#expect = expect
  }

  takeEvent(event: SchedulerEvent): void {
    switch (event.type) {
      case 'versionRegistered':
        this.#unloadable.delete(event.version.versionId)
        return
      case 'versionReplaced':
        this.#unloadable.set(event.versionId, 'gone')
        return
      case 'versionChecked':
        if (event.state === 'gone') this.#unloadable.set(event.versionId, 'gone')
        else if (this.#unloadable.get(event.versionId) === 'checking') this.#unloadable.delete(event.versionId)
        return
      case 'workerExited':
        this.#workers.delete(event.workerId)
        this.#withoutLease.delete(event.workerId)
        return
      case 'drainRequested':
        this.#isDraining = true
        return
      case 'serverRestarted':
        this.#workers.clear()
        this.#withoutLease.clear()
        this.#unloadable.clear()
        this.#isDraining = false
        return
      default:
        return
    }
  }

  takeCommand(command: Command): void {
    if (command.type === 'spawnWorker') return this.#spawn(command.workerId)
    if (command.type === 'checkVersion') return this.#check(command.versionId)
    // What is told of jobs names a worker too, and speaks to nobody.
    if (!('workerId' in command) || 'jobId' in command) return
    const { type, workerId } = command
    this.#expect(this.#workers.has(workerId), `${type} speaks to worker ${workerId}, which is not there.`)
    if (type === 'load') this.#load(command.versionId)
    if (type === 'grantLease')
      this.#expect(this.#withoutLease.delete(workerId), `Worker ${workerId} is given a lease that it has.`)
    if (type === 'revokeLease') {
      this.#expect(!this.#withoutLease.has(workerId), `Worker ${workerId} is to give back a lease that it has not.`)
      this.#withoutLease.add(workerId)
    }
  }

  settle(): void {}

  #spawn(workerId: WorkerId): void {
    this.#expect(!this.#isDraining, `Worker ${workerId} is started while the server stops.`)
    this.#expect(!this.#workers.has(workerId), `Worker ${workerId} is started twice.`)
    this.#workers.add(workerId)
  }

  #load(versionId: VersionId): void {
    const trouble = this.#unloadable.get(versionId)
    this.#expect(!this.#isDraining, `Version ${versionId} is loaded while the server stops.`)
    this.#expect(trouble === undefined, `Version ${versionId} is loaded and is ${trouble}.`)
  }

  #check(versionId: VersionId): void {
    const trouble = this.#unloadable.get(versionId)
    this.#expect(trouble === undefined, `Version ${versionId} is to be checked and is ${trouble}.`)
    this.#unloadable.set(versionId, 'checking')
  }
}
