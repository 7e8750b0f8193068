import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const RESULTS = '.hearth/results/vitest.json'

/** Some start processes; a machine that is busy otherwise is no failure. */
const LOGIC_TEST_TIMEOUT_MS = 30_000
/** Tests that start servers, workers and models share two cores with them: few files at a time, more patience. */
const SYSTEM_TEST_TIMEOUT_MS = 60_000

export default defineConfig({
  // The file that Node itself takes for the packages; Vite's own choice would be a second copy of graphql, and types of one are strangers to the other.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }] },
  test: {
    reporters: ['default', 'json'],
    outputFile: { json: RESULTS },
    maxWorkers: process.env['CI'] === undefined ? '75%' : 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'logic',
          include: ['test/{unit,property,contract,simulation,fuzz}/**/*.test.ts'],
          testTimeout: LOGIC_TEST_TIMEOUT_MS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/{integration,fault,e2e}/**/*.test.ts'],
          testTimeout: SYSTEM_TEST_TIMEOUT_MS,
          hookTimeout: SYSTEM_TEST_TIMEOUT_MS,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
