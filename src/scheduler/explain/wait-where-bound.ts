/** Why a job waits on the device that it was given when it came. */
import type { Millis } from '../ids.ts'
import { type Device, deviceOf, isLive, type SchedulerState, type Task } from '../state.ts'
import { jobsAre } from './amounts.ts'
import { tasksAhead } from './estimate.ts'
import type { WaitReason } from './wait-code.ts'
import { waitForLoad } from './wait-for-load.ts'

export function waitWhereBound(state: SchedulerState, task: Task, device: Device, now: Millis): WaitReason {
  const { version } = task
  const { name } = device.spec
  if (device.isLost)
    return {
      code: 'NO_DEVICE',
      reason: `It was given to ${name}, which is lost; it goes on there or on another device.`,
    }
  const inLine = device.line?.rank(task) ?? 0
  if (inLine > 0 && device.line?.first()?.version !== version)
    return {
      code: 'BEHIND_OTHERS',
      reason: `${name} serves jobs in the order in which they came; ${jobsAre(inLine)} ahead.`,
    }
  const residency = version.residencies.find((each) => deviceOf(each) === device && isLive(each))
  if (residency?.state !== 'resident') return waitForLoad(state, version, now, device)
  const running = `${jobsAre(residency.running)} running in ${version.spec.modelName}`
  return { code: 'BEHIND_OTHERS', reason: `${jobsAre(tasksAhead(task))} ahead on ${name}; ${running} there.` }
}
