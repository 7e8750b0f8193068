/** A task as it is kept; what it shares with its job is asked of the job, and what most tasks never have is made when it is first set. */
import type { TaskStage } from '../events.ts'
import type { Millis, TaskId } from '../ids.ts'
import type { Job, LiveResidency, Task } from '../state.ts'

type Rarely = Pick<Task, 'checkpointStep' | 'heldOutput' | 'pausedState' | 'isSuspect' | 'unstartedDeaths'>

const usual: Readonly<Rarely> = Object.freeze({
  checkpointStep: null,
  heldOutput: null,
  pausedState: null,
  isSuspect: false,
  unstartedDeaths: 0,
})

/** For tasks that come after nobody, and whom nobody comes after, and that name no component. */
const noTasks: readonly Task[] = Object.freeze([])
const noComponents: readonly number[] = Object.freeze([])

type TaskFacts = Pick<Task, 'taskId' | 'stage' | 'isHeld' | 'components' | 'arrival' | 'isSuspect'>

export class TaskRecord implements Task {
  readonly taskId: TaskId
  readonly job: Job
  readonly stage: TaskStage
  readonly isHeld: boolean
  readonly components: readonly number[]
  after: readonly Task[] = noTasks
  followers: readonly Task[] = noTasks
  readonly arrival: number
  state: Task['state'] = 'blocked'
  residency: LiveResidency | null = null
  startedAt: Millis | null = null
  reportedAt: Millis | null = null
  workSince = 0
  stepsDone = 0
  #rarely: Rarely | null = null

  constructor(job: Job, facts: TaskFacts) {
    this.taskId = facts.taskId
    this.job = job
    this.stage = facts.stage
    this.isHeld = facts.isHeld
    this.components = facts.components.length === 0 ? noComponents : facts.components
    this.arrival = facts.arrival
    if (facts.isSuspect) this.isSuspect = true
  }

  get version() {
    return this.job.version
  }

  get order() {
    return this.job.order
  }

  get checkpointStep() {
    return (this.#rarely ?? usual).checkpointStep
  }
  set checkpointStep(value) {
    this.#set('checkpointStep', value)
  }

  get heldOutput() {
    return (this.#rarely ?? usual).heldOutput
  }
  set heldOutput(value) {
    this.#set('heldOutput', value)
  }

  get pausedState() {
    return (this.#rarely ?? usual).pausedState
  }
  set pausedState(value) {
    this.#set('pausedState', value)
  }

  get isSuspect() {
    return (this.#rarely ?? usual).isSuspect
  }
  set isSuspect(value) {
    this.#set('isSuspect', value)
  }

  get unstartedDeaths() {
    return (this.#rarely ?? usual).unstartedDeaths
  }
  set unstartedDeaths(value) {
    this.#set('unstartedDeaths', value)
  }

  #set<Name extends keyof Rarely>(name: Name, value: Rarely[Name]): void {
    if (this.#rarely === null && value === usual[name]) return
    this.#rarely ??= { ...usual }
    this.#rarely[name] = value
  }
}
