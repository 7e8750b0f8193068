/**
 * How long announced work takes, for one version: a line through what was seen (least squares in which older jobs fade), and a factor that is raised
 * when a job took longer than was said and lowered when it did not, so that a chosen share of the predictions suffices.
 */
import type { Millis } from '../../ids.ts'

export interface WorkModel {
  /** Fading sums over jobs: their number, work, time, work squared, work times time. */
  count: number
  work: number
  ms: number
  workSquared: number
  workMs: number
  /** What the line is multiplied with. */
  factor: number
}

const memory = 0.98
const factorRate = 0.05

export function newWorkModel(): WorkModel {
  return { count: 0, work: 0, ms: 0, workSquared: 0, workMs: 0, factor: 1 }
}

/** Null = no job of it has been seen. */
export function predictMs(model: WorkModel | undefined, work: number): Millis | null {
  const ms = model ? lineAt(model, work) : null
  return ms === null || !model ? null : ms * model.factor
}

/** `quantile`: the share of jobs that are to take no longer than was predicted. */
export function learnWork(model: WorkModel, work: number, ms: Millis, quantile: number): void {
  const line = lineAt(model, work)
  if (line !== null && ms > 0) {
    model.factor *= Math.exp(factorRate * (ms > line * model.factor ? quantile : quantile - 1))
  }
  model.count = memory * model.count + 1
  model.work = memory * model.work + work
  model.ms = memory * model.ms + ms
  model.workSquared = memory * model.workSquared + work * work
  model.workMs = memory * model.workMs + work * ms
}

function lineAt({ count, work, ms, workSquared, workMs }: WorkModel, asked: number): Millis | null {
  if (count === 0) return null
  const meanWork = work / count
  const meanMs = ms / count
  const variance = workSquared / count - meanWork * meanWork
  // Work that never differs says nothing about a slope: time is then in proportion.
  if (variance <= 1e-9 * meanWork * meanWork) return meanWork > 0 ? (meanMs * asked) / meanWork : meanMs
  const slope = Math.max(0, (workMs / count - meanWork * meanMs) / variance)
  return Math.max(0.1 * meanMs * Math.min(1, asked / meanWork), meanMs + slope * (asked - meanWork))
}
