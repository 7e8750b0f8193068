/**
 * A job as it is kept. A million of them may wait, and most never fail, pause or move: what only these things need is made when it is first set, and until
 * then all jobs share what it usually is.
 */
import type { PriorityClass } from '../events.ts'
import type { JobShare } from '../fairness/flows.ts'
import type { JobId, Millis, SessionId, UserId } from '../ids.ts'
import type { Device, Job, LiveResidency, Task, Version } from '../state.ts'
import { noClimb } from './memory-climb.ts'

type Rarely = Pick<
  Job,
  | 'failedAttempts'
  | 'deathsAlone'
  | 'staleAttempts'
  | 'cancelRequested'
  | 'pauseCause'
  | 'setback'
  | 'memory'
  | 'gained'
  | 'isStuck'
  | 'forecast'
  | 'deadlineAt'
  | 'deadlineSlot'
>

const usual: Readonly<Rarely> = Object.freeze({
  failedAttempts: 0,
  deathsAlone: 0,
  staleAttempts: 0,
  cancelRequested: false,
  pauseCause: null,
  setback: null,
  memory: Object.freeze(noClimb()),
  gained: -1,
  isStuck: false,
  forecast: null,
  deadlineAt: null,
  deadlineSlot: -1,
})

export type JobFacts = Pick<
  Job,
  | 'jobId'
  | 'userId'
  | 'sessionId'
  | 'weight'
  | 'work'
  | 'class'
  | 'submittedAt'
  | 'deadlineAt'
  | 'arrival'
  | 'order'
  | 'share'
  | 'version'
  | 'attempt'
>

export class JobRecord implements Job {
  readonly jobId: JobId
  readonly userId: UserId | null
  readonly sessionId: SessionId | null
  readonly weight: number
  readonly work: number
  readonly class: PriorityClass
  readonly submittedAt: Millis
  readonly arrival: number
  order: number
  readonly share: JobShare
  readonly version: Version
  tasks: readonly Task[] = []
  state: Job['state'] = 'queued'
  stage: Job['stage'] = 'inference'
  attempt: number
  home: LiveResidency | null = null
  boundTo: Device | null = null
  boundMs = 0
  tasksAtWorkers = 0
  tasksStepping = 0
  tasksLeft = 0
  #rarely: Rarely | null = null

  constructor(facts: JobFacts) {
    this.jobId = facts.jobId
    this.userId = facts.userId
    this.sessionId = facts.sessionId
    this.weight = facts.weight
    this.work = facts.work
    this.class = facts.class
    this.submittedAt = facts.submittedAt
    this.arrival = facts.arrival
    this.order = facts.order
    this.share = facts.share
    this.version = facts.version
    this.attempt = facts.attempt
    if (facts.deadlineAt !== null) this.#set('deadlineAt', facts.deadlineAt)
  }

  get deadlineAt() {
    return (this.#rarely ?? usual).deadlineAt
  }

  get failedAttempts() {
    return (this.#rarely ?? usual).failedAttempts
  }
  set failedAttempts(value) {
    this.#set('failedAttempts', value)
  }

  get deathsAlone() {
    return (this.#rarely ?? usual).deathsAlone
  }
  set deathsAlone(value) {
    this.#set('deathsAlone', value)
  }

  get staleAttempts() {
    return (this.#rarely ?? usual).staleAttempts
  }
  set staleAttempts(value) {
    this.#set('staleAttempts', value)
  }

  get cancelRequested() {
    return (this.#rarely ?? usual).cancelRequested
  }
  set cancelRequested(value) {
    this.#set('cancelRequested', value)
  }

  get pauseCause() {
    return (this.#rarely ?? usual).pauseCause
  }
  set pauseCause(value) {
    this.#set('pauseCause', value)
  }

  get setback() {
    return (this.#rarely ?? usual).setback
  }
  set setback(value) {
    this.#set('setback', value)
  }

  get memory() {
    return (this.#rarely ?? usual).memory
  }
  set memory(value) {
    this.#set('memory', value)
  }

  get gained() {
    return (this.#rarely ?? usual).gained
  }
  set gained(value) {
    this.#set('gained', value)
  }

  get isStuck() {
    return (this.#rarely ?? usual).isStuck
  }
  set isStuck(value) {
    this.#set('isStuck', value)
  }

  get forecast() {
    return (this.#rarely ?? usual).forecast
  }
  set forecast(value) {
    this.#set('forecast', value)
  }

  get deadlineSlot() {
    return (this.#rarely ?? usual).deadlineSlot
  }
  set deadlineSlot(value) {
    this.#set('deadlineSlot', value)
  }

  #set<Name extends keyof Rarely>(name: Name, value: Rarely[Name]): void {
    if (this.#rarely === null && value === usual[name]) return
    this.#rarely ??= { ...usual }
    this.#rarely[name] = value
  }
}
