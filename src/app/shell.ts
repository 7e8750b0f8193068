/**
 * The thin shell around the pure core: it owns the clock, the state, the one timer and the recorder. Facts come in through `feed`,
 * decisions go out to those who carry them out, in order. Nothing here decides anything.
 */
import type { Command } from '../scheduler/commands.ts'
import { step } from '../scheduler/core.ts'
import { type HintVerdict, hintVerdict } from '../scheduler/demand/hint-verdict.ts'
import type { SchedulerEvent } from '../scheduler/events.ts'
import type { DeviceId, Millis, VersionId } from '../scheduler/ids.ts'
import { type PinProblem, pinProblem } from '../scheduler/pins/pins.ts'
import { misfit } from '../scheduler/placement/misfit.ts'
import type { SchedulerState } from '../scheduler/state.ts'
import type { Clock } from './clock.ts'

/** Writes down what the core was told and what it wanted, so that a run can be replayed. */
export interface Recorder {
  record(now: Millis, event: SchedulerEvent, commands: readonly Command[]): void
}

export type CarryOut = (command: Command, now: Millis) => void

/** `setTimeout` takes no more; a later deadline is reached in several sleeps. */
const longestSleepMs = 2 ** 31 - 1

export class Shell {
  readonly state: SchedulerState
  readonly #clock: Clock
  readonly #recorder: Recorder | null
  readonly #onBroken: (error: unknown) => never
  readonly #waiting: SchedulerEvent[] = []
  #onStepped: () => void = () => {}
  #carryOut: CarryOut = () => {
    throw new Error('The shell was fed before `start`.')
  }
  #feeding = false
  #timer: NodeJS.Timeout | null = null
  #draining = false

  constructor(state: SchedulerState, clock: Clock, recorder: Recorder | null, onBroken: (error: unknown) => never) {
    this.#onBroken = onBroken
    this.state = state
    this.#clock = clock
    this.#recorder = recorder
  }

  /** Who carries out commands; they know the shell in turn, so they come after it. */
  start(carryOut: CarryOut): void {
    this.#carryOut = carryOut
  }

  /** Told after each step. */
  onStepped(listener: () => void): void {
    this.#onStepped = listener
  }

  /** Events that arise while commands are carried out wait until those are done. */
  feed(event: SchedulerEvent): void {
    this.#waiting.push(event)
    if (this.#feeding) return
    this.#feeding = true
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#stepOnce(next)
    } catch (error) {
      // Decided and not carried out: from here on the state is wrong, whoever's event it was. The next start recovers from what is written.
      this.#onBroken(error)
    } finally {
      this.#feeding = false
    }
  }

  /** Stops admitting, for good. */
  drain(): void {
    this.#draining = true
    this.feed({ type: 'drainRequested' })
  }

  get draining(): boolean {
    return this.#draining
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  hasDevice(id: DeviceId): boolean {
    return this.state.devices.has(id)
  }

  /** Bytes needed and offered when no device could ever hold the version. */
  misfit(id: VersionId): { readonly neededBytes: number; readonly availableBytes: number } | null {
    return misfit(this.state, id)
  }

  /** What comes of a hint as things are now. */
  hintVerdict(id: VersionId, probability: number): HintVerdict {
    return hintVerdict(this.state, id, probability, this.#clock.now())
  }

  /** Bytes needed and offered when a pin could not be kept beside the others. */
  pinProblem(id: VersionId, deviceId: DeviceId | null): PinProblem | null {
    return pinProblem(this.state, id, deviceId)
  }

  #stepOnce(event: SchedulerEvent): void {
    const now = this.#clock.now()
    const commands = step(this.state, event, now)
    this.#recorder?.record(now, event, commands)
    for (const command of commands) {
      if (command.type === 'setTimer') this.#setTimer(command.at, now)
      else this.#carryOut(command, now)
    }
    this.#onStepped()
  }

  #setTimer(at: Millis | null, now: Millis): void {
    this.stop()
    if (at === null) return
    const sleepMs = Math.min(Math.max(0, at - now), longestSleepMs)
    this.#timer = setTimeout(() => this.feed({ type: 'timerFired' }), sleepMs)
    this.#timer.unref()
  }
}
