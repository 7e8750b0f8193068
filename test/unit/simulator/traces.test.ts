/** Recorded workloads of every kind are read, and what is wrong with a file is said with its line. */
import { describe, expect, test } from 'vitest'
import { readTable } from '../../../src/simulator/traces/csv.ts'
import { loadFactors } from '../../../src/simulator/traces/latencies.ts'
import { readWorkload } from '../../../src/simulator/traces/traces.ts'
import { traceFile } from './trace-files.ts'

const drawn = { seed: 1, requests: 1000 }
const read = (...lines: readonly string[]) => readWorkload(traceFile(lines), drawn)
const ownHeader = 'timestamp_s,model_id,size_gb,load_s,exec_s,user,priority'

describe('the format of its own', () => {
  test('is read, compressed or not', () => {
    const lines = [
      ownHeader,
      '1,a,2.5,10,20,ann,interactive',
      '2.5,b,12,39,4,bob,batch',
      '3,a,2.5,10,7,ann,interactive',
    ]
    const workload = readWorkload(traceFile(lines, { isCompressed: true }), drawn)
    expect(workload.models).toEqual([
      { name: 'a', sizeBytes: 2.5e9, loadMs: 10_000 },
      { name: 'b', sizeBytes: 12e9, loadMs: 39_000 },
    ])
    expect(workload.requests).toEqual([
      { at: 1000, model: 0, execMs: 20_000, user: 1, class: 'interactive' },
      { at: 2500, model: 1, execMs: 4000, user: 2, class: 'batch' },
      { at: 3000, model: 0, execMs: 7000, user: 1, class: 'interactive' },
    ])
    expect(workload.seed).toBeNull()
    expect(readWorkload(traceFile(lines), drawn).requests).toEqual(workload.requests)
  })

  test('may have other columns, and lack those that are optional, which is said', () => {
    const workload = read('colour,model_id,timestamp_s,size_gb', 'red,a,1,4')
    expect(workload.models).toEqual([{ name: 'a', sizeBytes: 4e9, loadMs: 15_000 }])
    expect(workload.requests).toEqual([{ at: 1000, model: 0, execMs: 20_000, user: null, class: 'interactive' }])
    expect(workload.notes.join(' ')).toMatch(/load_s.*exec_s.*user.*priority/)
  })

  test('counts the first row of a model that is described in two ways, and says so', () => {
    const workload = read(ownHeader, '1,a,2,9,1,u,batch', '2,a,3,9,1,u,batch')
    expect(workload.models).toEqual([{ name: 'a', sizeBytes: 2e9, loadMs: 9000 }])
    expect(workload.notes).toEqual([
      '1 rows give their model another size or load time than its first row, which counts.',
    ])
  })

  test.each([
    ['a number that is none', ['1,a,2,9,1,u,batch', '2,a,much,9,1,u,batch'], /line 3: size_gb is "much"/],
    ['a value that is missing', ['1,a,,9,1,u,batch'], /line 2: size_gb is ""/],
    ['a time before the last one', ['5,a,2,9,1,u,batch', '4,a,2,9,1,u,batch'], /line 3: timestamp_s 4 lies before/],
    ['too few values', ['1,a,2,9,1,u'], /line 2: 6 values where the header names 7/],
    ['a class that is none', ['1,a,2,9,1,u,urgent'], /line 2: priority is "urgent"/],
    ['a model without size', ['1,a,0,9,1,u,batch'], /line 2: size_gb is 0/],
    ['a negative time', ['1,a,2,9,-1,u,batch'], /line 2: exec_s is "-1"/],
  ])('refuses %s', (_, rows, words) => {
    expect(() => read(ownHeader, ...rows)).toThrow(words)
  })

  test('refuses files without requests, and files that are not there', () => {
    expect(() => read(ownHeader)).toThrow('has no requests')
    expect(() => read('')).toThrow('is empty')
    expect(() => readWorkload('/nowhere/trace.csv', drawn)).toThrow('/nowhere/trace.csv cannot be read')
  })
})

describe('files of other services', () => {
  test('requests for pictures: sizes follow from how long the median request takes', () => {
    const header = 'timestamp_s,model_id,loras,type,status,group_id,exec_s,images,steps,prompt_chars'
    const row = (second: number, model: string, exec: number, status = 'SUCC') =>
      `${second},${model},,t2i,${status},G1,${exec},1,30,60`
    const workload = read(
      header,
      row(1, 'slow', 40),
      row(2, 'slow', 30),
      row(3, 'slow', 36),
      row(4, 'quick', 5),
      row(5, '', 0, 'PEND'),
    )
    expect(workload.requests).toHaveLength(4)
    expect(workload.models[0]).toEqual({ name: 'slow', sizeBytes: 12e9, loadMs: 39_000 })
    expect([2.5e9, 6.8e9]).toContain(workload.models[1]?.sizeBytes)
    expect(workload.notes.join(' ')).toContain('Sizes by rule')
  })

  test('requests for texts: what they compute follows from their tokens', () => {
    const workload = read('timestamp_s,model_id,context_tokens,generated_tokens', '0.5,chat,5000,40', '1,code,0,80')
    expect(workload.requests.map(({ execMs }) => execMs)).toEqual([2000, 2000])
    expect(workload.models.map(({ name }) => name)).toEqual(['chat', 'code'])
  })

  test('rates of clients: about as many requests as are wanted, the same for the same seed, in bursts where the file says so', () => {
    const rows = Array.from({ length: 100 }, (_, window) => [
      `${600 * window},big,0,30,1,G,1,1`,
      `${600 * window},big,1,10,40,W,0.1,1`,
    ])
    const path = traceFile(['window_start_s,model,client,rate_rps,cv,dist,p1,p2', ...rows.flat()])
    const workload = readWorkload(path, { seed: 3, requests: 4000 })
    expect(workload.requests).toHaveLength(4000)
    expect(workload.requests.filter(({ model }) => model === 0)).toHaveLength(3000)
    expect(readWorkload(path, { seed: 3, requests: 4000 }).requests).toEqual(workload.requests)
    expect(readWorkload(path, { seed: 4, requests: 4000 }).requests).not.toEqual(workload.requests)
    expect(variationOf(workload.requests.filter(({ model }) => model === 0).map(({ at }) => at))).toBeLessThan(1.5)
    expect(variationOf(workload.requests.filter(({ model }) => model === 1).map(({ at }) => at))).toBeGreaterThan(2)
    const last = workload.requests.at(-1)
    expect(last && last.at < 60_000_000).toBe(true)
  })

  test('load times are no requests, but say how loads vary', () => {
    const lines = [
      'timestamp_s,component,latency_ms,pod',
      '1,base_load,10,0',
      '2,base_load,40,0',
      '3,lora_load,7,0',
      '4,base_load,20,0',
    ]
    expect(() => read(...lines)).toThrow('--load-times')
    expect(loadFactors(readTable(traceFile(lines)))).toEqual([0.5, 1, 2])
  })

  test('clusters and unknown tables are named', () => {
    expect(() => read('sn,cpu_milli,memory_mib,gpu,model', 'n,1,1,1,G2')).toThrow('describes a cluster')
    expect(() => read('a,b', '1,2')).toThrow('is of no known kind')
  })
})

/** Coefficient of variation of the gaps. */
function variationOf(times: readonly number[]): number {
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean
}
