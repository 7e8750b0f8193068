import { expect, test } from 'vitest'
import { WorkerLog } from '../../../../src/runtime/workers/worker-log.ts'

const limits = { lineBytesMax: 20, bytesPerSecondMax: 100 }

function logAt(clock: { ms: number } = { ms: 0 }) {
  const lines: string[] = []
  return {
    lines,
    log: new WorkerLog(
      limits,
      () => clock.ms,
      (level, message) => lines.push(`${level}: ${message}`),
    ),
  }
}

test('each line becomes one record, whatever the chunks; standard error is a warning', () => {
  const { lines, log } = logAt()
  log.output(Buffer.from('one\ntw'))
  log.errorOutput(Buffer.from('careful\n'))
  log.output(Buffer.from('o\r\n\n'))
  expect(lines).toEqual(['info: one', 'warning: careful', 'info: two'])
})

test('the last line counts without its newline', () => {
  const { lines, log } = logAt()
  log.output(Buffer.from('Segmentation fault'))
  expect(lines).toEqual([])
  log.end()
  expect(lines).toEqual(['info: Segmentation fault'])
})

test('a letter that was split between two chunks is whole', () => {
  const { lines, log } = logAt()
  const bytes = Buffer.from('grün\n')
  log.output(bytes.subarray(0, 3))
  log.output(bytes.subarray(3))
  expect(lines).toEqual(['info: grün'])
})

test('of a line without an end only the start is kept', () => {
  const { lines, log } = logAt()
  for (let chunk = 0; chunk < 5; chunk += 1) log.output(Buffer.from('x'.repeat(15)))
  log.output(Buffer.from('\nnext\n'))
  expect(lines).toEqual([`info: ${'x'.repeat(20)}`, 'info: next'])
})

test('a flood is cut off until the next second, and what was left out is said', () => {
  const clock = { ms: 0 }
  const { lines, log } = logAt(clock)
  for (let chunk = 0; chunk < 1000; chunk += 1) log.output(Buffer.from('0123456789\n'))
  expect(lines).toHaveLength(10)
  clock.ms = 1000
  log.output(Buffer.from('calm\n'))
  expect(lines.slice(10)).toEqual([
    'warning: 10890 bytes of its output were left out, because it wrote more than 100 in a second.',
    'info: calm',
  ])
})

test('what was left out at the end is said too', () => {
  const { lines, log } = logAt()
  log.frame('info', 'y'.repeat(200))
  log.frame('info', 'z')
  log.end()
  expect(lines).toEqual([
    `info: ${'y'.repeat(20)}…`,
    'warning: 1 bytes of its output were left out, because it wrote more than 100 in a second.',
  ])
})
