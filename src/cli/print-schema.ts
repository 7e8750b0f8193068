/**
 * Writes what is generated from the code and committed beside it: schema.graphql and .env.example. With `--release` also schema/released.graphql,
 * which later changes are held against.
 */
import { writeFileSync } from 'node:fs'
import { printedSchema } from '../../schema/schema.ts'
import { envExample } from '../config/env-example.ts'

const root = new URL('../../', import.meta.url)
writeFileSync(new URL('schema.graphql', root), printedSchema())
writeFileSync(new URL('.env.example', root), envExample())
if (process.argv.includes('--release')) writeFileSync(new URL('schema/released.graphql', root), printedSchema())
