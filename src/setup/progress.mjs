/**
 * Shows what set-up does: one row per step, rewritten in place on a terminal; elsewhere (a log file, CI) one line when
 * a step begins, one every few seconds while it goes on, one when it is done. Written to standard error, so that
 * standard output belongs to what is started afterwards.
 */
const REFRESH_MS = 100
const LOG_INTERVAL_MS = 5000
const TITLE_WIDTH = 22

/**
 * @typedef {object} Row
 * @property {(status: string) => void} update says how far the step is: "87 of 131 packages"
 * @property {(status: string) => void} done ends the row; its duration is added
 */

/** @typedef {{ row: (title: string) => Row }} Board */

/**
 * @param {NodeJS.WriteStream} [stream]
 * @returns {Board}
 */
export function createBoard(stream = process.stderr) {
  return stream.isTTY && process.env['TERM'] !== 'dumb' ? createLiveBoard(stream) : createLogBoard(stream)
}

/**
 * @param {number} done
 * @param {number} total
 */
export function percent(done, total) {
  return `${Math.min(100, Math.floor((100 * done) / Math.max(1, total)))} %`
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e6 ? 1 : 0)} MB`
}

/**
 * @param {NodeJS.WriteStream} stream
 * @returns {Board}
 */
function createLiveBoard(stream) {
  /** @type {{ text: string }[]} */
  const rows = []
  let rowsDrawn = 0
  let drawnAt = 0

  function draw() {
    const up = rowsDrawn === 0 ? '' : `\u001B[${rowsDrawn}A`
    const width = stream.columns > 0 ? stream.columns : 80
    stream.write(up + rows.map((row) => `\r\u001B[2K${row.text.slice(0, width - 1)}\n`).join(''))
    rowsDrawn = rows.length
    drawnAt = performance.now()
  }

  return {
    row(title) {
      const startedAt = performance.now()
      const row = { text: line(title, 'starting') }
      rows.push(row)
      draw()
      return {
        update(status) {
          row.text = line(title, status)
          if (performance.now() - drawnAt >= REFRESH_MS) draw()
        },
        done(status) {
          row.text = line(title, finished(status, startedAt))
          draw()
        },
      }
    },
  }
}

/**
 * @param {NodeJS.WriteStream} stream
 * @returns {Board}
 */
function createLogBoard(stream) {
  return {
    row(title) {
      const startedAt = performance.now()
      let loggedAt = startedAt
      stream.write(`${line(title, 'starting')}\n`)
      return {
        update(status) {
          if (performance.now() - loggedAt < LOG_INTERVAL_MS) return
          loggedAt = performance.now()
          stream.write(`${line(title, status)}\n`)
        },
        done(status) {
          stream.write(`${line(title, finished(status, startedAt))}\n`)
        },
      }
    },
  }
}

/**
 * @param {string} title
 * @param {string} status
 */
function line(title, status) {
  return `  ${title.padEnd(TITLE_WIDTH)} ${status}`
}

/**
 * @param {string} status
 * @param {number} startedAt
 */
function finished(status, startedAt) {
  return `${status} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`
}
